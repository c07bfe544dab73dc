/** What the host says of models and of files that belong to them, in German; see sentences.de.ts. */
export const MODEL_MESSAGES: Readonly<Record<string, string>> = {
  // what a file is instead of a model
  '{} is a LoRA, not a whole model': '{1} ist ein LoRA, kein ganzes Modell',
  '{} is an autoencoder (VAE), not a whole model': '{1} ist ein Autoencoder (VAE), kein ganzes Modell',
  '{} is an embedding (textual inversion), not a whole model':
    '{1} ist ein Embedding (Textual Inversion), kein ganzes Modell',
  '{} is an IP-Adapter, not a whole model': '{1} ist ein IP-Adapter, kein ganzes Modell',
  '{} is a CLIP image encoder, not a whole model': '{1} ist ein CLIP-Bildencoder, kein ganzes Modell',
  '{} is a text encoder, not a whole model': '{1} ist ein Textencoder, kein ganzes Modell',
  '{} is a ControlNet, which this studio does not use': '{1} ist ein ControlNet; dieses Studio verwendet keine',
  '{} is only the denoiser (UNet) of a model, without text encoder and VAE':
    '{1} ist nur das Malnetz (UNet) eines Modells, ohne Textencoder und VAE',
  '{} is the refiner of SDXL, which only finishes pictures of the base model':
    '{1} ist der Refiner von SDXL, der Bilder des Grundmodells nur fertig malt',
  '{} is a Stable Diffusion 3 model, whose network is not known here':
    '{1} ist ein Stable-Diffusion-3-Modell; dessen Netz ist hier nicht bekannt',
  '{} is a FLUX model, whose network is not known here': '{1} ist ein FLUX-Modell; dessen Netz ist hier nicht bekannt',
  '{} is a Stable Cascade model, whose network is not known here':
    '{1} ist ein Stable-Cascade-Modell; dessen Netz ist hier nicht bekannt',
  '{} is a transformer of a kind that is not known here': '{1} ist ein Transformer einer hier unbekannten Art',
  '{} is an upscaler, not a model that makes pictures': '{1} vergrößert nur und malt keine Bilder',
  '{} is no model that is known here': '{1} ist kein Modell, das hier bekannt ist',
  '{} is a PyTorch pickle (.ckpt, .pt, .bin): opening one can run any code its author put inside, so it is refused':
    '{1} ist ein PyTorch-Pickle (.ckpt, .pt, .bin): es zu öffnen kann beliebigen Code seines Urhebers ausführen, darum wird es abgelehnt',
  '{} is a GGUF file of llama.cpp': '{1} ist eine GGUF-Datei von llama.cpp',
  '{} is a Git LFS pointer, not the model itself': '{1} ist ein Verweis von Git LFS, nicht das Modell selbst',
  '{} is a picture': '{1} ist ein Bild',
  '{} is an HDF5 file': '{1} ist eine HDF5-Datei',
  '{} is a single ONNX graph': '{1} ist ein einzelnes ONNX-Netz',
  '{} is a web page saved under the name of a model': '{1} ist eine Webseite unter dem Namen eines Modells',
  '{} is a text file under another name': '{1} ist eine Textdatei unter anderem Namen',
  // what does not fit
  '{} does not fit {}: it was made for a model of another family ({} has another size)':
    '{1} passt nicht zu {2}: es ist für eine andere Modellfamilie gemacht ({3} hat eine andere Größe)',
  '{} of {} layers of {} fit nothing in {}: the others are used':
    '{1} von {2} Schichten von {3} passen zu nichts in {4}: die übrigen wirken',
  'there is no file {}': 'Eine Datei {1} gibt es nicht',
  '{} does not fit {}: {}': '{1} passt nicht zu {2}: {3}',
  '{} needs the CLIP image encoder that was published with it':
    '{1} braucht den CLIP-Bildencoder, der mit ihm veröffentlicht wurde',
  '{} was made for a text encoder of the width {}, {} has {}':
    '{1} ist für einen Textencoder der Breite {2} gemacht, {3} hat {4}',
  '{} is an autoencoder of {} channels; models of this family have 4':
    '{1} ist ein Autoencoder mit {2} Kanälen; Modelle dieser Familie haben 4',
  '{} is a DoRA, which this studio cannot apply': '{1} ist ein DoRA; das kann dieses Studio nicht anwenden',
  '{} lacks the autoencoder (VAE): drop a VAE file and use it with this model':
    '{1} fehlt der Autoencoder (VAE): eine VAE-Datei hereinziehen und mit diesem Modell verwenden',
  '{} is an exported folder, which takes no {}': '{1} ist ein exportierter Ordner, der das nicht annimmt: {2}',
};

export const MODEL_KEPT: Readonly<Record<string, string>> = {
  'nothing was read or changed': 'nichts wurde gelesen oder geändert',
  'nothing was changed': 'nichts wurde geändert',
  'nothing was started': 'nichts wurde begonnen',
  'the model works without it': 'das Modell geht auch ohne',
  'the model keeps its own': 'das Modell behält seinen eigenen',
  'the scene is unchanged': 'die Szene ist unverändert',
};

export const MODEL_REMEDIES: Readonly<Record<string, string>> = {
  'get the .safetensors version of the model, which holds numbers only':
    'das Modell als .safetensors holen, das nur Zahlen enthält',
  'get the model as .safetensors in half precision': 'das Modell als .safetensors in halber Genauigkeit holen',
  'get the model as .safetensors': 'das Modell als .safetensors holen',
  'download the file it points to (git lfs pull)': 'die Datei holen, auf die er verweist (git lfs pull)',
  'drop the whole folder that holds model_index.json': 'den ganzen Ordner mit model_index.json hereinziehen',
  'the download needs a login or moved: get the file again':
    'zum Herunterladen fehlt eine Anmeldung, oder die Datei ist umgezogen: noch einmal holen',
  'choose a .safetensors file': 'eine .safetensors-Datei wählen',
  'get the full model as one file': 'das ganze Modell als eine Datei holen',
  'get the SDXL base model': 'das Grundmodell von SDXL holen',
  'draw segments instead': 'stattdessen Segmente zeichnen',
  'get a Stable Diffusion checkpoint': 'einen Stable-Diffusion-Checkpoint holen',
  'Stable Diffusion 1.x, 2.x and SDXL open here': 'Stable Diffusion 1.x, 2.x und SDXL gehen hier auf',
  'Stable Diffusion 1.x, 2.x and SDXL open here, as .safetensors or as an optimum folder':
    'Stable Diffusion 1.x, 2.x und SDXL gehen hier auf, als .safetensors oder als Ordner von optimum',
  'choose a LoRA for this family of models': 'ein LoRA für diese Modellfamilie wählen',
  'choose an embedding for this family of models': 'ein Embedding für diese Modellfamilie wählen',
  'choose the IP-Adapter made for this family of models': 'den IP-Adapter für diese Modellfamilie wählen',
  'choose a VAE for Stable Diffusion 1.x, 2.x or SDXL': 'ein VAE für Stable Diffusion 1.x, 2.x oder SDXL wählen',
  'choose an ordinary LoRA': 'ein gewöhnliches LoRA wählen',
  'drop its model.safetensors as well, or put it beside the IP-Adapter, in a folder image_encoder':
    'dessen model.safetensors dazu hereinziehen, oder es neben den IP-Adapter legen, in einen Ordner image_encoder',
  'take it off the scene (models view), or choose a .safetensors checkpoint':
    'es von der Szene nehmen (Modellansicht), oder einen .safetensors-Checkpoint wählen',
  'close other programs, choose a smaller canvas, or a smaller model':
    'andere Programme schließen, eine kleinere Leinwand oder ein kleineres Modell wählen',
  'switch the leak shield off, or choose a smaller canvas':
    'die Abschirmung der Segmente ausschalten, oder eine kleinere Leinwand wählen',
};
