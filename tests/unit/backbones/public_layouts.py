"""The tensors of public networks of 1000 classes by their public names, written down from how each
library builds its modules.
"""

Layout = dict[str, tuple[int, ...]]


def _convolution(name, width_in, width_out, kernel, groups=1, bias=False) -> Layout:
    shapes = {f"{name}.weight": (width_out, width_in // groups, kernel, kernel)}
    return {**shapes, f"{name}.bias": (width_out,)} if bias else shapes


def _linear(name, width_in, width_out, bias=True) -> Layout:
    shapes = {f"{name}.weight": (width_out, width_in)}
    return {**shapes, f"{name}.bias": (width_out,)} if bias else shapes


def _norm(name, width) -> Layout:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _batch_norm(name, width) -> Layout:
    return {**_norm(name, width), f"{name}.running_mean": (width,), f"{name}.running_var": (width,), f"{name}.num_batches_tracked": ()}


def parameters(layout: Layout) -> int:
    """Count the trainable numbers of a layout."""
    total = 0
    for name, shape in layout.items():
        if name.rsplit(".", 1)[-1] not in {"running_mean", "running_var", "num_batches_tracked", "relative_position_index", "attn_mask"}:
            size = 1
            for length in shape:
                size *= length
            total += size
    return total


def resnet50() -> Layout:
    """torchvision and timm."""
    shapes = _convolution("conv1", 3, 64, 7) | _batch_norm("bn1", 64)
    width_in = 64
    for stage, (blocks, width) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512)), start=1):
        for block in range(blocks):
            at = f"layer{stage}.{block}"
            shapes |= _convolution(f"{at}.conv1", width_in, width, 1) | _batch_norm(f"{at}.bn1", width)
            shapes |= _convolution(f"{at}.conv2", width, width, 3) | _batch_norm(f"{at}.bn2", width)
            shapes |= _convolution(f"{at}.conv3", width, 4 * width, 1) | _batch_norm(f"{at}.bn3", 4 * width)
            if block == 0:
                shapes |= _convolution(f"{at}.downsample.0", width_in, 4 * width, 1) | _batch_norm(f"{at}.downsample.1", 4 * width)
            width_in = 4 * width
    return shapes | _linear("fc", 2048, 1000)


B0 = ((1, 3, 1, 16), (2, 3, 6, 24), (2, 5, 6, 40), (3, 3, 6, 80), (3, 5, 6, 112), (4, 5, 6, 192), (1, 3, 6, 320))
B7 = ((4, 3, 1, 32), (7, 3, 6, 48), (7, 5, 6, 80), (10, 3, 6, 160), (10, 5, 6, 224), (13, 5, 6, 384), (4, 3, 6, 640))
"""Blocks, kernel, expansion, width of each stage."""


def _mbconv(widen, depthwise, gate, narrow, width_in, width_out, kernel, expansion) -> Layout:
    """A block from the names of its parts: pairs of convolution and norm, and a pair for the gate
    or None.
    """
    wide = expansion * width_in
    shapes: Layout = {}
    if expansion > 1:
        shapes |= _convolution(widen[0], width_in, wide, 1) | _batch_norm(widen[1], wide)
    shapes |= _convolution(depthwise[0], wide, wide, kernel, groups=wide) | _batch_norm(depthwise[1], wide)
    if gate:
        squeezed = width_in // 4
        shapes |= _convolution(gate[0], wide, squeezed, 1, bias=True) | _convolution(gate[1], squeezed, wide, 1, bias=True)
    return shapes | _convolution(narrow[0], wide, width_out, 1) | _batch_norm(narrow[1], width_out)


def efficientnet(library, stages, stem, last, excited=True) -> Layout:
    """EfficientNet-PyTorch ("pytorch"), "timm" or "torchvision"."""
    ends = {
        "pytorch": ("_conv_stem", "_bn0", "_conv_head", "_bn1", "_fc"),
        "timm": ("conv_stem", "bn1", "conv_head", "bn2", "classifier"),
        "torchvision": ("features.0.0", "features.0.1", "features.8.0", "features.8.1", "classifier.1"),
    }[library]
    shapes = _convolution(ends[0], 3, stem, 3) | _batch_norm(ends[1], stem)
    width_in, number = stem, 0
    for stage, (blocks, kernel, expansion, width) in enumerate(stages):
        for block in range(blocks):
            names = {
                "pytorch": _pytorch_block(number),
                "timm": _timm_block(f"blocks.{stage}.{block}", expansion),
                "torchvision": _torchvision_block(f"features.{stage + 1}.{block}.block", expansion),
            }[library]
            if not excited:
                names = (*names[:2], None, names[3])
            shapes |= _mbconv(*names, width_in, width, kernel, expansion)
            width_in, number = width, number + 1
    return shapes | _convolution(ends[2], width_in, last, 1) | _batch_norm(ends[3], last) | _linear(ends[4], last, 1000)


def _pytorch_block(number):
    at = f"_blocks.{number}."
    pairs = (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_se_reduce", "_se_expand"), ("_project_conv", "_bn2"))
    return tuple((at + first, at + second) for first, second in pairs)


def _timm_block(at, expansion):
    gate = (f"{at}.se.conv_reduce", f"{at}.se.conv_expand")
    if expansion == 1:  # a depthwise separable block, whose norms are numbered from its first convolution
        return None, (f"{at}.conv_dw", f"{at}.bn1"), gate, (f"{at}.conv_pw", f"{at}.bn2")
    return (f"{at}.conv_pw", f"{at}.bn1"), (f"{at}.conv_dw", f"{at}.bn2"), gate, (f"{at}.conv_pwl", f"{at}.bn3")


def _torchvision_block(at, expansion):
    first = 0 if expansion == 1 else 1  # without widening, everything moves up by one
    pairs = [(f"{at}.{number}.0", f"{at}.{number}.1") for number in (0, first, first + 2)]
    return pairs[0], pairs[1], (f"{at}.{first + 1}.fc1", f"{at}.{first + 1}.fc2"), pairs[2]


def vit_b16(library, side) -> Layout:
    """ViT-B/16 of "timm" or "torchvision" (its later layout) for ``side`` x ``side`` pixels."""
    timm = library == "timm"
    shapes = _convolution("patch_embed.proj" if timm else "conv_proj", 3, 768, 16, bias=True)
    shapes["cls_token" if timm else "class_token"] = (1, 1, 768)
    shapes["pos_embed" if timm else "encoder.pos_embedding"] = (1, (side // 16) ** 2 + 1, 768)
    for layer in range(12):
        at = f"blocks.{layer}" if timm else f"encoder.layers.encoder_layer_{layer}"
        for norm in ("norm1", "norm2") if timm else ("ln_1", "ln_2"):
            shapes |= _norm(f"{at}.{norm}", 768)
        if timm:
            shapes |= _linear(f"{at}.attn.qkv", 768, 2304) | _linear(f"{at}.attn.proj", 768, 768)
            shapes |= _linear(f"{at}.mlp.fc1", 768, 3072) | _linear(f"{at}.mlp.fc2", 3072, 768)
        else:
            shapes |= {f"{at}.self_attention.in_proj_weight": (2304, 768), f"{at}.self_attention.in_proj_bias": (2304,)}
            shapes |= _linear(f"{at}.self_attention.out_proj", 768, 768)
            shapes |= _linear(f"{at}.mlp.0", 768, 3072) | _linear(f"{at}.mlp.3", 3072, 768)
    return shapes | _norm("norm" if timm else "encoder.ln", 768) | _linear("head" if timm else "heads.head", 768, 1000)


def swin(library, width, depths, heads, window, tables=False) -> Layout:
    """Swin of "timm" (0.9 and later), of the authors ("authors": merging at a stage's end) or of
    "torchvision".

    With ``tables``, also those that follow from sizes.
    """
    ours = library == "torchvision"
    patches, norm = ("features.0.0", "features.0.2") if ours else ("patch_embed.proj", "patch_embed.norm")
    shapes = _convolution(patches, 3, width, 4, bias=True) | _norm(norm, width)
    for stage, (depth, count) in enumerate(zip(depths, heads, strict=True)):
        now = width * 2**stage
        for layer in range(depth):
            at = f"features.{2 * stage + 1}.{layer}" if ours else f"layers.{stage}.blocks.{layer}"
            first, second = ("mlp.0", "mlp.3") if ours else ("mlp.fc1", "mlp.fc2")
            shapes |= _norm(f"{at}.norm1", now) | _norm(f"{at}.norm2", now)
            shapes |= _linear(f"{at}.attn.qkv", now, 3 * now) | _linear(f"{at}.attn.proj", now, now)
            shapes |= _linear(f"{at}.{first}", now, 4 * now) | _linear(f"{at}.{second}", 4 * now, now)
            shapes[f"{at}.attn.relative_position_bias_table"] = ((2 * window - 1) ** 2, count)
            if tables:
                shapes[f"{at}.attn.relative_position_index"] = (window**4,) if ours else (window**2, window**2)
                if layer % 2 and not ours and stage < 3:
                    shapes[f"{at}.attn_mask"] = (4, window**2, window**2)
        if stage < 3:
            at = {"timm": f"layers.{stage + 1}.downsample", "authors": f"layers.{stage}.downsample"}.get(
                library, f"features.{2 * stage + 2}"
            )
            shapes |= _norm(f"{at}.norm", 4 * now) | _linear(f"{at}.reduction", 4 * now, 2 * now, bias=False)
    return shapes | _norm("norm", 8 * width) | _linear({"timm": "head.fc"}.get(library, "head"), 8 * width, 1000)
