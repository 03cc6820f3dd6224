# SPDX-License-Identifier: BSD-3-Clause
"""What no implementation can avoid in each workload, in units of the rates that compare.py measures:
flops of matrix products, flops of convolutions, bytes that move within the caches, bytes that move
to and from memory. workloads.md says what is counted."""

RATES = ["rate_gemm", "rate_conv", "rate_bytes", "rate_memory"]
FLOAT = 4  # bytes
PASSES = 5  # through a pointwise operation: x in, y out; x and the gradient in, x's gradient out
ADAM = 7 * FLOAT  # per parameter: four arrays in, three out
MOMENTUM = 5 * FLOAT  # three in, two out


def work(gemm=0, conv=0, cached=0, memory=0):
    return dict(zip(RATES, (gemm, conv, cached, memory)))


def mlp():
    weights = [784 * 512, 512 * 256, 256 * 10]
    parameters = sum(weights) + 512 + 256 + 10
    products = 2 * 128 * (3 * sum(weights) - weights[0])  # the input needs no gradient
    return work(gemm=products, cached=ADAM * parameters)


def cnn():
    first, second = 32 * 9 * 26 * 26, 64 * 32 * 9 * 24 * 24
    dense = 9216 * 128 + 128 * 10
    parameters = 32 * 9 + 32 + 64 * 32 * 9 + 64 + dense + 128 + 10
    pooled = FLOAT * 64 * 64 * 24 * 24  # in, a quarter out, and the reverse
    return work(gemm=3 * 2 * 64 * dense, conv=2 * 64 * (2 * first + 3 * second),
                cached=MOMENTUM * parameters + 5 * pooled // 2)


def infer_cnn():
    flops = 2 * (32 * 9 * 26 * 26 + 64 * 32 * 9 * 24 * 24)
    return work(conv=flops, cached=FLOAT * (9216 * 128 + 128 * 10))


def resnet20():
    batch, stages = 32, [(16, 32), (32, 16), (64, 8)]
    first = 3 * 16 * 9 * 32 * 32
    rest, normed, before = 0, 16 * 32 * 32, 16
    for width, side in stages:
        pixels = side * side
        rest += before * width * 9 * pixels + 5 * width * width * 9 * pixels
        normed += 6 * width * pixels
        if before != width:
            rest += before * width * pixels
            normed += width * pixels
        before = width
    parameters = 272_474
    return work(conv=2 * batch * (2 * first + 3 * rest),
                cached=PASSES * FLOAT * batch * normed + MOMENTUM * parameters)


def lstm():
    weights = 4 * 256 * (64 + 256)
    products = 2 * 64 * 32 * (3 * weights - 4 * 256 * 64)
    return work(gemm=products, cached=ADAM * (weights + 2 * 4 * 256))


def gpt():
    batch, length, width, layers, letters = 16, 128, 128, 4, 65
    tokens = batch * length
    weights = layers * 12 * width * width + letters * width
    products = 3 * 2 * tokens * weights
    # Two products forward and four backward, each half below the diagonal.
    attention = layers * 6 * 2 * batch * length * length * width // 2
    norms = (2 * layers + 1) * tokens * width
    parameters = weights + layers * 13 * width + (letters + length) * width + 2 * width + letters
    return work(gemm=products + attention, cached=PASSES * FLOAT * norms + ADAM * parameters)


def pinn():
    forward = 2 * 1024 * (2 * 64 + 2 * 64 * 64 + 64)
    # Once forward, once for the first derivatives, twice for the second one, and two products for
    # the gradient of each of these.
    return work(gemm=12 * forward)


WORK = {
    "composed_1m": work(cached=PASSES * FLOAT * 2**20),
    "gelu_1m": work(cached=PASSES * FLOAT * 2**20),
    "matmul_512": work(gemm=6 * 512**3),
    "matmul_1024": work(gemm=6 * 1024**3),
    "layer_norm": work(cached=PASSES * FLOAT * 256 * 1024),
    "mlp": mlp(),
    "cnn": cnn(),
    "resnet20": resnet20(),
    "lstm": lstm(),
    "lstm_cell": lstm(),
    "gpt": gpt(),
    "pinn": pinn(),
    "adam_step": work(memory=ADAM * 10_000_000),
    # A row in, one out; the gradient and the row in, the row out.
    "embedding": work(cached=PASSES * FLOAT * 64 * 20 * 128),
    "infer_mlp": work(cached=FLOAT * (784 * 512 + 512 * 256 + 256 * 10)),
    "infer_cnn": infer_cnn(),
}


def floor(name, rates):
    """Nanoseconds, given those of one flop or byte; None for a workload of mere overhead."""
    if name not in WORK:
        return None
    return sum(amount * rates[rate] for rate, amount in WORK[name].items())
