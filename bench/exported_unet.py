"""SD 1.5's UNet with random weights: the time of a pass in diffusers, then the graph that its exporter writes.

python bench/exported_unet.py FOLDER SIDE   writes FOLDER/unet.onnx (its weights beside it, one file each, as PyTorch does above 2 GB) and prints processor seconds as JSON.
Needs torch and diffusers. Started by bench/stock-ratio.ts.
"""

import json
import resource
import sys
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel

CONFIG = dict(sample_size=64, in_channels=4, out_channels=4, cross_attention_dim=768, attention_head_dim=8)


def processor_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Plain(torch.nn.Module):
    def __init__(self, unet):
        super().__init__()
        self.unet = unet

    def forward(self, sample, timestep, encoder_hidden_states):
        return self.unet(sample, timestep, encoder_hidden_states, return_dict=False)[0]


def main():
    folder, side = Path(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(2)
    model = Plain(UNet2DConditionModel(**CONFIG).eval())
    inputs = (torch.randn(1, 4, side, side), torch.tensor(499.0), torch.randn(1, 77, 768))
    times = []
    with torch.no_grad():
        for _ in range(3):
            begin = processor_seconds()
            model(*inputs)
            times.append(processor_seconds() - begin)
        names = ["sample", "timestep", "encoder_hidden_states"]
        axes = {"sample": {0: "batch"}, "encoder_hidden_states": {0: "batch"}}
        torch.onnx.export(
            model, inputs, str(folder / "unet.onnx"), input_names=names, output_names=["out_sample"],
            dynamic_axes=axes, opset_version=17, dynamo=False, do_constant_folding=False,
        )
    print(json.dumps({"processorSeconds": [round(t, 2) for t in times[1:]]}))


if __name__ == "__main__":
    main()
