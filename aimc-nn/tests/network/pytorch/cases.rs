//! The layers that `data/make_reference.py` computed with PyTorch, as we write them.

const CONV_TRANSPOSE: &str = "layer = \"TransposedConv\", outputs";

/// Name of the file, shape of the input, layer.
pub(crate) type Case = (&'static str, &'static str, String);

/// Layers over tiles.
pub(crate) fn on_tiles() -> Vec<Case> {
    let conv = |rest: &str| format!("layer = \"Conv\", outputs = {rest}");
    let turned = |rest: &str| format!("{CONV_TRANSPOSE} = {rest}");
    let recurrent = |rest: &str| format!("layer = \"Recurrent\", hidden = 4, {rest}");
    let layer = |text: &str| text.to_owned();
    vec![
        ("linear", "[5]", layer("layer = \"Linear\", outputs = 4")),
        ("linear_no_bias", "[5]", layer("layer = \"Linear\", outputs = 4, bias = false")),
        ("conv1d", "[2, 9]", conv("4, kernel = 3, stride = 2, padding = 1")),
        ("conv1d_dilated", "[3, 8]", conv("2, kernel = 2, dilation = 3")),
        ("conv2d", "[2, 6, 5]", conv("3, kernel = [3, 2], stride = [2, 1], padding = [1, 0]")),
        ("conv2d_groups", "[4, 5, 6]", conv("6, kernel = 3, padding = 2, dilation = 2, groups = 2")),
        ("conv2d_depthwise", "[3, 4, 6]", conv("6, kernel = 2, stride = 2, groups = 3, bias = false")),
        (
            "conv3d",
            "[2, 3, 4, 3]",
            conv("4, kernel = [2, 3, 2], stride = [1, 2, 1], padding = [0, 1, 1], groups = 2"),
        ),
        ("conv_transpose1d", "[2, 4]", turned("3, kernel = 4, stride = 3, dilation = 2")),
        (
            "conv_transpose2d",
            "[3, 3, 4]",
            turned("2, kernel = [3, 2], stride = 2, padding = 1, output_padding = 1"),
        ),
        ("conv_transpose2d_groups", "[4, 3, 2]", turned("6, kernel = 3, stride = [1, 2], groups = 2")),
        ("rnn", "[5, 3]", recurrent("cell = \"Rnn\"")),
        ("rnn", "[5, 3]", recurrent("cell = \"Rnn\", combined = true")),
        ("rnn_bidirectional", "[5, 3]", recurrent("cell = \"Rnn\", layers = 2, bidirectional = true")),
        ("lstm", "[5, 3]", recurrent("cell = \"Lstm\"")),
        ("lstm", "[5, 3]", recurrent("cell = \"Lstm\", combined = true")),
        ("lstm_no_bias", "[5, 3]", recurrent("cell = \"Lstm\", bias = false")),
        ("lstm_bidirectional", "[5, 3]", recurrent("layers = 2, bidirectional = true")),
        ("lstm_bidirectional", "[5, 3]", recurrent("layers = 2, bidirectional = true, combined = true")),
        ("lstm_last", "[5, 3]", recurrent("bidirectional = true, given = \"Last\"")),
        ("gru", "[5, 3]", recurrent("cell = \"Gru\"")),
        ("gru_bidirectional", "[5, 3]", recurrent("cell = \"Gru\", layers = 2, bidirectional = true")),
        ("attention", "[4, 6]", layer("layer = \"Attention\", heads = 2")),
        (
            "attention_causal",
            "[4, 6]",
            layer("layer = \"Attention\", heads = 3, causal = true, bias = false"),
        ),
    ]
}

/// Layers without tiles.
pub(crate) fn digital() -> Vec<Case> {
    let pool = |rest: &str| format!("layer = \"Pool\", {rest}");
    let activation = |name: &str| format!("layer = \"Activation\", function = \"{name}\"");
    let layer = |text: &str| text.to_owned();
    vec![
        ("batch_norm1d", "[3]", layer("layer = \"BatchNorm\"")),
        ("batch_norm2d", "[3, 4, 2]", layer("layer = \"BatchNorm\", epsilon = 1e-3")),
        ("batch_norm2d_plain", "[3, 4, 2]", layer("layer = \"BatchNorm\", affine = false")),
        ("layer_norm", "[4, 5]", layer("layer = \"LayerNorm\", epsilon = 1e-3")),
        ("layer_norm_plain", "[4, 5]", layer("layer = \"LayerNorm\", affine = false")),
        ("embedding", "[4]", layer("layer = \"Embedding\", vocabulary = 7, features = 3")),
        ("max_pool2d", "[2, 5, 6]", pool("kernel = [3, 2], stride = 2, padding = [1, 0]")),
        ("max_pool1d", "[2, 7]", pool("kernel = 2")),
        ("average_pool2d", "[2, 5, 6]", pool("function = \"Average\", kernel = 3, stride = 2, padding = 1")),
        ("average_pool3d", "[2, 3, 4, 5]", pool("function = \"Average\", kernel = 2")),
        ("adaptive_pool2d", "[2, 4, 5]", layer("layer = \"AdaptivePool\", parts = [3, 2]")),
        ("gelu", "[20]", activation("gelu")),
        ("gelu_tanh", "[20]", activation("gelu_tanh")),
        ("silu", "[20]", activation("silu")),
        ("leaky_relu", "[20]", activation("leaky_relu")),
        ("sigmoid", "[20]", activation("sigmoid")),
        ("tanh", "[20]", activation("tanh")),
        ("log_softmax", "[7]", layer("layer = \"LogSoftmax\"")),
    ]
}
