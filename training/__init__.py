"""Training of the pixel family: CLIP, prior, 64 px decoder, super-resolution, and what scores them."""
