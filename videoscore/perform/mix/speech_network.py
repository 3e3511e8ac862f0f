"""The network of Silero VAD (Silero Team 2024, MIT) in plain PyTorch, with the weights of the installed package.

The package runs it frame by frame, or through onnxruntime, which keeps an identifier of the machine, and looks up its
maker's host. All frames of a batch go through the convolutions at once here, and the recurrent cell runs over them in
one call: the same probabilities to 1e-5, in half of onnxruntime's time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.resources import as_file, files

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

FRAME, CONTEXT = 512, 64  # samples at 16 kHz that are judged at a time, and of the frame before
BATCH = 512  # frames a call: 16 s of sound
_WINDOW, _HOP, _BINS = 256, 128, 129  # of the Fourier transform, whose two parts are one convolution

State = tuple[Tensor, Tensor]


class SpeechNetwork(nn.Module):
    """(frames, CONTEXT + FRAME) samples in order -> (frames,) probabilities of speech."""

    def __init__(self) -> None:
        super().__init__()
        self.transform = nn.Conv1d(1, 2 * _BINS, _WINDOW, _HOP, bias=False)
        self.encoder = nn.Sequential(
            *(nn.Conv1d(_BINS, 128, 3, 1, 1), nn.ReLU(), nn.Conv1d(128, 64, 3, 2, 1), nn.ReLU()),
            *(nn.Conv1d(64, 64, 3, 2, 1), nn.ReLU(), nn.Conv1d(64, 128, 3, 1, 1), nn.ReLU()),
        )
        self.memory = nn.LSTM(128, 128)
        self.chance = nn.Linear(128, 1)

    def forward(self, frames: Tensor, state: State | None) -> tuple[Tensor, State]:
        parts = self.transform(nn.functional.pad(frames[:, None], (0, _HOP // 2), mode="reflect"))
        magnitude = (parts[:, :_BINS] ** 2 + parts[:, _BINS:] ** 2).sqrt()
        hidden_state, state = self.memory(self.encoder(magnitude)[:, :, 0], state)
        return torch.sigmoid(self.chance(torch.relu(hidden_state)))[:, 0], state


def load_network() -> SpeechNetwork:
    """The network with the weights of the package silero-vad, of its model for 16 kHz."""
    with as_file(files("silero_vad") / "data" / "silero_vad.jit") as path:
        weights = torch.jit.load(str(path), map_location="cpu").state_dict()
    state = {"transform.weight": weights["_model.stft.forward_basis_buffer"]}
    for layer in range(4):
        for part in ("weight", "bias"):
            state[f"encoder.{2 * layer}.{part}"] = weights[f"_model.encoder.{layer}.reparam_conv.{part}"]
    for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        state[f"memory.{part}_l0"] = weights[f"_model.decoder.rnn.{part}"]
    state["chance.weight"] = weights["_model.decoder.decoder.2.weight"][:, :, 0]
    state["chance.bias"] = weights["_model.decoder.decoder.2.bias"]
    network = SpeechNetwork()
    network.load_state_dict(state)
    return network.eval()


def speech_chances(blocks: Iterable[NDArray[np.float32]]) -> Iterator[float]:
    """Probability of speech of every 32 ms of mono 16 kHz sound, in constant memory."""
    network, state = load_network(), None
    context = np.zeros(CONTEXT, np.float32)
    for frames in _frames(blocks):
        contexts = np.concatenate((context[None], frames[:-1, -CONTEXT:]))
        context = frames[-1, -CONTEXT:]
        with torch.inference_mode():
            chances, state = network(torch.from_numpy(np.concatenate((contexts, frames), axis=1)), state)
        yield from chances.tolist()


def _frames(blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """(up to BATCH, FRAME) frames; the last one is filled up with silence."""
    size = BATCH * FRAME
    rest = np.zeros(0, np.float32)
    for block in blocks:
        rest = np.concatenate((rest, block))
        while len(rest) >= size:
            yield rest[:size].reshape(BATCH, FRAME)
            rest = rest[size:]
    if len(rest):
        yield np.pad(rest, (0, -len(rest) % FRAME)).reshape(-1, FRAME)
