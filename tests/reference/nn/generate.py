#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes what PyTorch gives for modules, float64, one safetensors file a family.

Made with PyTorch 1.13; run it in this folder. The tests read the files, never this script.
A case `name` holds `name.in.k` (inputs), `name.state.*` (parameters and buffers before),
`name.out.k`, `name.seed.k` (the loss is the sum of out times seed over all outputs),
`name.grad.in.k`, `name.grad.*` (of parameters) and `name.after.*` (buffers that changed).
"""
import pathlib
import sys

import torch
from torch import nn
from torch.nn.utils import spectral_norm, weight_norm

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import safetensors_writer

torch.set_default_dtype(torch.float64)
tensors = {}


def put(name, x):
    tensors[name] = x.detach().contiguous().clone()


def write(path):
    safetensors_writer.write(path, tensors)
    tensors.clear()


def flat(y):
    if isinstance(y, torch.Tensor):
        return [y]
    return [t for part in y for t in flat(part)]


def case(name, module, inputs, forward=None, training=True):
    """Inputs that are floating get gradients."""
    inputs = [x.clone().requires_grad_(x.is_floating_point()) for x in inputs]
    module.train(training)
    for k, x in enumerate(inputs):
        put(f"{name}.in.{k}", x)
    before = {k: v.detach().clone() for k, v in module.state_dict().items()}
    for k, v in before.items():
        put(f"{name}.state.{k}", v)
    out = flat((forward or module)(*inputs))
    loss = 0
    for k, y in enumerate(out):
        put(f"{name}.out.{k}", y)
        if not y.is_floating_point():
            continue
        seed = torch.randn_like(y)
        put(f"{name}.seed.{k}", seed)
        loss = loss + (y * seed).sum()
    loss.backward()
    for k, x in enumerate(inputs):
        if x.grad is not None:
            put(f"{name}.grad.in.{k}", x.grad)
    for k, p in module.named_parameters():
        put(f"{name}.grad.{k}", p.grad if p.grad is not None else torch.zeros_like(p))
    for k, b in module.named_buffers():
        if not torch.equal(b, before[k]):
            put(f"{name}.after.{k}", b)


def packed(module, batch_first=False):
    def forward(x, lengths, *state):
        sequence = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first,
                                                     enforce_sorted=False)
        state = tuple(state) if len(state) == 2 else state[0] if state else None
        y, last = module(sequence, state)
        y, _ = nn.utils.rnn.pad_packed_sequence(y, batch_first, total_length=x.shape[batch_first])
        return y, last
    return forward


def stateful(module):
    return lambda x, *s: module(x, tuple(s) if len(s) > 1 else s[0])


def recurrent():
    torch.manual_seed(1)
    x = torch.randn(5, 3, 4)
    for name, make in (("rnn", nn.RNN), ("lstm", nn.LSTM), ("gru", nn.GRU)):
        states = 2 if name == "lstm" else 1
        state = lambda layers: [torch.randn(layers, 3, 6) for _ in range(states)]
        case(name, make(4, 6), [x])
        m = make(4, 6, num_layers=2, bidirectional=True)
        case(f"{name}_deep", m, [x] + state(4), stateful(m))
        m = make(4, 6, batch_first=True, bias=False)
        case(f"{name}_batch_first", m, [x.transpose(0, 1).contiguous()] + state(1), stateful(m))
        m = make(4, 6, num_layers=2, bidirectional=True)
        lengths = torch.tensor([3, 5, 1])
        case(f"{name}_ragged", m, [x, lengths] + state(4), packed(m))
    case("rnn_relu", nn.RNN(4, 6, nonlinearity="relu"), [x])
    case("lstm_unbatched", nn.LSTM(4, 6), [x[:, 0]])
    h, c = torch.randn(3, 6), torch.randn(3, 6)
    case("rnn_cell", nn.RNNCell(4, 6), [x[0], h])
    m = nn.LSTMCell(4, 6)
    case("lstm_cell", m, [x[0], h, c], lambda x, h, c: m(x, (h, c)))
    case("gru_cell", nn.GRUCell(4, 6), [x[0], h])
    write("recurrent.safetensors")


class RMSNorm(nn.Module):
    """PyTorch has it from 2.4 on."""

    def __init__(self, features, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(features))
        self.eps = eps

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * self.weight


def shuffled(module):
    """Away from the ones and zeros that norms begin with."""
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.randn_like(p))
        for k, b in module.named_buffers():
            if b.is_floating_point():
                b.copy_(torch.rand_like(b) + 0.5)
    return module


def norms():
    torch.manual_seed(2)
    x2, x3 = torch.randn(6, 4) * 2 + 1, torch.randn(3, 4, 5) * 2 + 1
    x4, x5 = torch.randn(2, 4, 3, 5) - 1, torch.randn(2, 4, 2, 3, 2)
    for training in (True, False):
        mode = "train" if training else "eval"
        case(f"batch_norm_1d_{mode}", shuffled(nn.BatchNorm1d(4)), [x2], training=training)
        case(f"batch_norm_1d_long_{mode}", shuffled(nn.BatchNorm1d(4)), [x3], training=training)
        case(f"batch_norm_2d_{mode}", shuffled(nn.BatchNorm2d(4, momentum=0.3)), [x4],
             training=training)
        case(f"batch_norm_3d_{mode}", shuffled(nn.BatchNorm3d(4, eps=1e-3)), [x5],
             training=training)
        case(f"batch_norm_plain_{mode}", shuffled(nn.BatchNorm2d(4, affine=False)), [x4],
             training=training)
        case(f"batch_norm_cumulative_{mode}", shuffled(nn.BatchNorm2d(4, momentum=None)), [x4],
             training=training)
        case(f"batch_norm_untracked_{mode}",
             shuffled(nn.BatchNorm2d(4, track_running_stats=False)), [x4], training=training)
        case(f"instance_norm_1d_{mode}", nn.InstanceNorm1d(4), [x3], training=training)
        case(f"instance_norm_2d_{mode}",
             shuffled(nn.InstanceNorm2d(4, affine=True, track_running_stats=True)), [x4],
             training=training)
    case("layer_norm", shuffled(nn.LayerNorm(5)), [x4])
    case("layer_norm_two", shuffled(nn.LayerNorm([3, 5], eps=1e-2)), [x4])
    case("layer_norm_plain", nn.LayerNorm(5, elementwise_affine=False), [x4])
    case("group_norm", shuffled(nn.GroupNorm(2, 4)), [x4])
    case("group_norm_plain", nn.GroupNorm(4, 4, affine=False), [x3])
    case("rms_norm", shuffled(RMSNorm(5, 1e-6)), [x4])
    case("local_response_norm", nn.LocalResponseNorm(3, alpha=0.1, beta=0.6, k=1.5), [x4])
    case("local_response_norm_even", nn.LocalResponseNorm(2), [x3])
    write("norms.safetensors")


def layers():
    torch.manual_seed(3)
    index = torch.randint(0, 7, (3, 4))
    case("embedding", nn.Embedding(7, 5), [index])
    case("embedding_padding", nn.Embedding(7, 5, padding_idx=2), [index])
    case("embedding_frequency", nn.Embedding(7, 5, scale_grad_by_freq=True), [index])
    case("embedding_max_norm", nn.Embedding(7, 5, max_norm=1.5), [index])
    flat_index, offsets = torch.randint(0, 7, (10,)), torch.tensor([0, 3, 3, 8])
    weights = torch.randn(10)
    for mode in ("sum", "mean", "max"):
        case(f"embedding_bag_{mode}", nn.EmbeddingBag(7, 5, mode=mode), [index])
        case(f"embedding_bag_{mode}_offsets", nn.EmbeddingBag(7, 5, mode=mode),
             [flat_index, offsets])
    case("embedding_bag_padding", nn.EmbeddingBag(7, 5, mode="mean", padding_idx=2), [index])
    m = nn.EmbeddingBag(7, 5, mode="sum")
    case("embedding_bag_weights", m, [flat_index, offsets, weights])
    case("bilinear", nn.Bilinear(3, 4, 2), [torch.randn(5, 3), torch.randn(5, 4)])
    case("bilinear_plain", nn.Bilinear(3, 4, 2, bias=False),
         [torch.randn(2, 5, 3), torch.randn(2, 5, 4)])
    x2, x4 = torch.randn(5, 4), torch.randn(2, 4, 5, 6)
    case("linear", nn.Linear(4, 3), [x2])
    case("linear_plain", nn.Linear(4, 3, bias=False), [torch.randn(2, 3, 4)])
    case("weight_norm", weight_norm(nn.Linear(4, 3)), [x2])
    case("weight_norm_last", weight_norm(nn.Conv2d(4, 2, 3), dim=1), [x4])
    case("weight_norm_all", weight_norm(nn.Conv2d(4, 2, 3), dim=None), [x4])
    for training in (True, False):
        mode = "train" if training else "eval"
        case(f"spectral_norm_{mode}", spectral_norm(nn.Linear(4, 3)), [x2], training=training)
        case(f"spectral_norm_twice_{mode}",
             spectral_norm(nn.Conv2d(4, 2, 3), n_power_iterations=2), [x4], training=training)
    case("spectral_norm_transposed", spectral_norm(nn.ConvTranspose2d(4, 2, 3)), [x4])
    write("layers.safetensors")


def activations():
    torch.manual_seed(10)
    x = torch.randn(4, 6) * 3
    for name, module in {
            "relu": nn.ReLU(), "sigmoid": nn.Sigmoid(), "tanh": nn.Tanh(),
            "softplus": nn.Softplus(), "softplus_beta": nn.Softplus(beta=2),
            "log_sigmoid": nn.LogSigmoid(), "relu6": nn.ReLU6(), "selu": nn.SELU(),
            "silu": nn.SiLU(), "mish": nn.Mish(), "softsign": nn.Softsign(),
            "hardswish": nn.Hardswish(),
            "leaky_relu": nn.LeakyReLU(), "leaky_relu_slope": nn.LeakyReLU(0.2),
            "elu": nn.ELU(), "elu_alpha": nn.ELU(1.5), "celu": nn.CELU(),
            "celu_alpha": nn.CELU(1.5), "prelu": nn.PReLU(), "prelu_each": nn.PReLU(6, 0.5),
            "threshold": nn.Threshold(0.1, 7), "softshrink": nn.Softshrink(),
            "softshrink_lambd": nn.Softshrink(1.25), "hardshrink": nn.Hardshrink(),
            "hardshrink_lambd": nn.Hardshrink(1.25), "tanhshrink": nn.Tanhshrink(),
            "glu": nn.GLU(), "glu_first": nn.GLU(0), "hardtanh": nn.Hardtanh(),
            "hardtanh_limits": nn.Hardtanh(-0.5, 2.25), "gelu": nn.GELU(),
            "gelu_tanh": nn.GELU(approximate="tanh"), "softmax": nn.Softmax(0),
            "softmin": nn.Softmin(-1), "log_softmax": nn.LogSoftmax(1)}.items():
        case(name, module, [x])
    # Hardsigmoid's own gradient has a constant of float32.
    function("hardsigmoid", lambda x: nn.functional.relu6(x + 3) / 6, [x])
    case("rrelu_eval", nn.RReLU(0.1, 0.3), [x], training=False)
    case("softmax_inner", nn.Softmax(1), [torch.randn(2, 3, 4)])
    write("activations.safetensors")


def attention():
    torch.manual_seed(4)
    q, k, v = torch.randn(5, 2, 8), torch.randn(7, 2, 8), torch.randn(7, 2, 8)
    first = lambda m: (lambda *a, **b: m(*a, **b)[0])

    def jiggled(m):
        with torch.no_grad():  # biases begin at zero
            for p in m.parameters():
                if p.dim() == 1:
                    p.add_(torch.randn_like(p) * 0.3)
        return m

    m = jiggled(nn.MultiheadAttention(8, 2))
    case("mha", m, [q, k, v])
    m = jiggled(nn.MultiheadAttention(8, 4, batch_first=True))
    padding = torch.tensor([[False] * 5 + [True] * 2, [False] * 7])
    t = lambda x: x.transpose(0, 1).contiguous()
    case("mha_padding", m, [t(q), t(k), t(v), padding],
         lambda q, k, v, p: m(q, k, v, key_padding_mask=p))
    m2 = jiggled(nn.MultiheadAttention(8, 2))
    mask = torch.randn(5, 7)
    case("mha_mask", m2, [q, k, v, mask], lambda q, k, v, a: m2(q, k, v, attn_mask=a,
                                                              average_attn_weights=False))
    m3 = nn.MultiheadAttention(8, 2, bias=False, add_bias_kv=True, add_zero_attn=True, kdim=6,
                               vdim=3)
    case("mha_unequal", m3, [q, torch.randn(7, 2, 6), torch.randn(7, 2, 3)])
    m4 = jiggled(nn.MultiheadAttention(8, 2))
    causal = torch.triu(torch.ones(5, 5, dtype=torch.bool), 1)
    case("mha_causal", m4, [q], lambda q: m4(q, q, q, attn_mask=causal, need_weights=False)[0])
    for norm_first in (False, True):
        name = "first" if norm_first else "last"
        m5 = jiggled(nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, norm_first=norm_first,
                                                activation="gelu" if norm_first else "relu"))
        case(f"encoder_layer_{name}", m5, [q])
        m6 = jiggled(nn.TransformerDecoderLayer(8, 2, 16, dropout=0.0, norm_first=norm_first,
                                                batch_first=norm_first))
        args = [q, k] if not norm_first else [t(q), t(k)]
        case(f"decoder_layer_{name}", m6, args,
             lambda x, memory, m=m6: m(x, memory, tgt_mask=causal))
    m7 = jiggled(nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0), 2,
                                       nn.LayerNorm(8)))
    pad = torch.tensor([[False] * 4 + [True], [False] * 5])
    case("encoder", m7, [q, pad], lambda x, p: m7(x, src_key_padding_mask=p))
    m8 = jiggled(nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16, dropout=0.0), 2))
    case("decoder", m8, [q, k], lambda x, memory: m8(x, memory, tgt_mask=causal))
    write("attention.safetensors")


def convolutions():
    torch.manual_seed(6)
    x1, x2, x3 = torch.randn(2, 4, 9), torch.randn(2, 4, 6, 7), torch.randn(2, 4, 4, 5, 4)
    case("conv1d", nn.Conv1d(4, 3, 3), [x1])
    case("conv1d_all", nn.Conv1d(4, 6, 3, stride=2, padding=3, dilation=2, groups=2), [x1])
    case("conv1d_same", nn.Conv1d(4, 3, 4, padding="same", dilation=3), [x1])
    case("conv1d_plain", nn.Conv1d(4, 3, 3, bias=False), [x1[0]])
    case("conv2d_all", nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2),
                                 groups=2), [x2])
    case("conv2d_same", nn.Conv2d(4, 3, (2, 4), padding="same", dilation=(2, 1)), [x2])
    case("conv3d", nn.Conv3d(4, 3, (2, 3, 2)), [x3])
    case("conv3d_all", nn.Conv3d(4, 6, 2, stride=(2, 1, 2), padding=(1, 0, 2),
                                 dilation=(2, 1, 1), groups=2), [x3])
    case("conv3d_same", nn.Conv3d(4, 2, (2, 3, 4), padding="same"), [x3[0]])
    for mode in ("reflect", "replicate", "circular"):
        case(f"conv1d_{mode}", nn.Conv1d(4, 3, 4, padding="same", padding_mode=mode), [x1])
        case(f"conv2d_{mode}", nn.Conv2d(4, 3, 3, stride=2, padding=(2, 1), padding_mode=mode),
             [x2])
    case("conv3d_circular", nn.Conv3d(4, 2, 3, padding=(1, 2, 0), padding_mode="circular"), [x3])
    case("conv_transpose1d", nn.ConvTranspose1d(4, 3, 3), [x1])
    case("conv_transpose1d_all", nn.ConvTranspose1d(4, 6, 3, stride=2, padding=1,
                                                    output_padding=2, groups=2, dilation=3), [x1])
    case("conv_transpose2d", nn.ConvTranspose2d(4, 3, 4, stride=2, padding=1), [x2])
    case("conv_transpose2d_all", nn.ConvTranspose2d(4, 6, 3, stride=(3, 2), padding=(1, 0),
                                                    output_padding=(2, 1), groups=2,
                                                    dilation=(1, 2)), [x2])
    case("conv_transpose2d_plain", nn.ConvTranspose2d(4, 3, 3, bias=False), [x2[0]])
    write("convolutions.safetensors")


def function(name, f, inputs):
    case(name, nn.Identity(), inputs, f)


def pooling():
    torch.manual_seed(7)
    x1, x2 = torch.randn(2, 3, 11), torch.randn(2, 3, 7, 8)
    case("max_1d", nn.MaxPool1d(3, 2, padding=1, dilation=2, ceil_mode=True, return_indices=True),
         [x1])
    case("max_2d", nn.MaxPool2d((3, 2), (2, 3), padding=(1, 0), dilation=(1, 2), ceil_mode=True,
                                return_indices=True), [x2])
    case("max_2d_plain", nn.MaxPool2d(2), [x2[0]])
    case("avg_1d", nn.AvgPool1d(3, 2, padding=1, ceil_mode=True), [x1])
    case("avg_1d_inside", nn.AvgPool1d(4, 3, padding=2, ceil_mode=True, count_include_pad=False),
         [x1])
    case("avg_2d", nn.AvgPool2d((3, 2), (2, 3), padding=(1, 0), ceil_mode=True), [x2])
    case("avg_2d_inside", nn.AvgPool2d(3, 2, padding=1, ceil_mode=True, count_include_pad=False),
         [x2])
    case("avg_2d_divisor", nn.AvgPool2d(3, 2, padding=1, divisor_override=5), [x2])
    case("lp_1d", nn.LPPool1d(3, 2, 3, ceil_mode=True), [x1.abs() + 0.1])
    case("lp_2d", nn.LPPool2d(2, (2, 3), stride=2, ceil_mode=True), [x2])
    case("lp_2d_one", nn.LPPool2d(1, 2), [x2])
    case("adaptive_avg_1d", nn.AdaptiveAvgPool1d(4), [x1])
    case("adaptive_avg_1d_more", nn.AdaptiveAvgPool1d(15), [x1[0]])
    case("adaptive_avg_2d", nn.AdaptiveAvgPool2d((3, 5)), [x2])
    case("adaptive_avg_2d_kept", nn.AdaptiveAvgPool2d((None, 2)), [x2])
    case("adaptive_avg_2d_one", nn.AdaptiveAvgPool2d(1), [x2])
    case("adaptive_max_1d", nn.AdaptiveMaxPool1d(4, return_indices=True), [x1])
    case("adaptive_max_2d", nn.AdaptiveMaxPool2d((3, 5), return_indices=True), [x2])
    write("pooling.safetensors")


def resampling():
    torch.manual_seed(8)
    x1, x2, x3 = torch.randn(2, 3, 5), torch.randn(2, 3, 4, 5), torch.randn(1, 2, 3, 4, 2)
    case("nearest_1d", nn.Upsample(scale_factor=2), [x1])
    case("nearest_2d", nn.Upsample(size=(7, 3)), [x2])
    case("nearest_3d", nn.Upsample(size=(2, 7, 3)), [x3])
    case("nearest_factor", nn.Upsample(scale_factor=(1.6, 2.3)), [x2])
    case("nearest_exact", nn.Upsample(size=(7, 3), mode="nearest-exact"), [x2])
    case("area", nn.Upsample(size=(3, 7), mode="area"), [x2])
    for align in (False, True):
        name = "_aligned" if align else ""
        case(f"linear{name}", nn.Upsample(size=8, mode="linear", align_corners=align), [x1])
        case(f"linear_factor{name}",
             nn.Upsample(scale_factor=1.7, mode="linear", align_corners=align), [x1])
        case(f"bilinear{name}", nn.Upsample(size=(7, 3), mode="bilinear", align_corners=align),
             [x2])
        case(f"bilinear_factor{name}",
             nn.Upsample(scale_factor=(2, 0.7), mode="bilinear", align_corners=align), [x2])
        case(f"bicubic{name}", nn.Upsample(size=(7, 3), mode="bicubic", align_corners=align), [x2])
        case(f"trilinear{name}", nn.Upsample(size=(5, 3, 4), mode="trilinear",
                                             align_corners=align), [x3])
    function("recomputed", lambda x: nn.functional.interpolate(
        x, scale_factor=1.7, mode="linear", recompute_scale_factor=True), [x1])
    case("pixel_shuffle", nn.PixelShuffle(2), [torch.randn(2, 8, 2, 3)])
    case("pixel_unshuffle", nn.PixelUnshuffle(3), [torch.randn(2, 2, 6, 3)])
    grid = torch.rand(2, 4, 3, 2) * 4 - 2
    for mode in ("bilinear", "nearest"):
        for padding in ("zeros", "border", "reflection"):
            for align in (False, True):
                function(f"grid_{mode}_{padding}" + ("_aligned" if align else ""),
                         lambda x, g, m=mode, p=padding, a=align:
                         nn.functional.grid_sample(x, g, m, p, a), [x2, grid])
    for align in (False, True):
        function("affine" + ("_aligned" if align else ""),
                 lambda t, a=align: nn.functional.affine_grid(t, (2, 1, 3, 4), a),
                 [torch.randn(2, 2, 3)])
    for n, x in ((1, x1), (2, x2), (3, x3)):
        sides = [1, 0, 2, 1, 1, 1][:2 * n]
        case(f"zero_pad_{n}d", nn.ConstantPad1d(sides, 0) if n == 1 else
             nn.ZeroPad2d(sides) if n == 2 else nn.ConstantPad3d(sides, 0), [x])
        make = [nn.ConstantPad1d, nn.ConstantPad2d, nn.ConstantPad3d][n - 1]
        case(f"constant_pad_{n}d", make(2, 1.5), [x])
        make = [nn.ReflectionPad1d, nn.ReflectionPad2d, nn.ReflectionPad3d][n - 1]
        case(f"reflection_pad_{n}d", make(sides), [x])
        make = [nn.ReplicationPad1d, nn.ReplicationPad2d, nn.ReplicationPad3d][n - 1]
        case(f"replication_pad_{n}d", make(sides), [x])
        function(f"circular_pad_{n}d",  # modules from PyTorch 2.1 on
                 lambda x, s=tuple(sides): nn.functional.pad(x, s, mode="circular"), [x])
    write("resampling.safetensors")


class Model(nn.Module):
    """A module of each family, as tests/nn/exchange_test.cpp writes it."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.lstm = nn.LSTM(24, 8, num_layers=2, bidirectional=True, batch_first=True)
        layer = nn.TransformerEncoderLayer(16, 4, 32, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, nn.LayerNorm(16))
        self.out = nn.Linear(16, 3)

    def forward(self, x):
        x = self.norm(self.conv(x)).relu().permute(0, 2, 1, 3).flatten(2)
        return self.out(self.encoder(self.lstm(x)[0]).mean(1))


def exchange():
    torch.manual_seed(5)
    x = torch.randn(3, 1, 10, 8)
    model = Model()
    case("model_train", model, [x])
    model.zero_grad()
    case("model_eval", model, [x], training=False)
    write("exchange.safetensors")


if __name__ == "__main__":
    recurrent()
    norms()
    layers()
    activations()
    attention()
    convolutions()
    pooling()
    resampling()
    exchange()
