//! What to say of operators that cannot be imported: whether that is planned, and what helps.

/// Why an operator of ONNX is not imported, and what may be done instead.
pub(super) fn refusal(op: &str, known: impl Iterator<Item = &'static str>) -> String {
    let reason = match op {
        "RoiAlign" | "MaxRoiPool" | "NonMaxSuppression" => {
            "picking boxes is not planned; cut the model before it, and pick boxes in your program"
        }
        "GridSample" | "AffineGrid" => "sampling at computed places is not planned",
        "MaxUnpool" => "it takes the places of a pool's greatest elements, which is not planned",
        "If" | "Loop" | "Scan" | "SequenceAt" | "SequenceConstruct" | "SequenceEmpty" | "SequenceErase"
        | "SequenceInsert" | "SequenceLength" | "SequenceMap" | "SplitToSequence" | "ConcatFromSequence"
        | "Optional" | "OptionalGetElement" | "OptionalHasElement" => {
            "control flow is not planned; exported with fixed sizes, and simplified, models mostly do without"
        }
        "ConvInteger" | "MatMulInteger" | "DynamicQuantizeLinear" => {
            "scales that are computed from each image are not planned; a model quantised with fixed scales (static, QDQ) \
             can be imported"
        }
        "RandomNormal" | "RandomNormalLike" | "RandomUniform" | "RandomUniformLike" | "Bernoulli" | "Multinomial" => {
            "its result is random; a network here gives the same answer every time"
        }
        "NonZero" | "Unique" | "Compress" => {
            "the size of its result depends on numbers, not on shapes; that is not planned"
        }
        "RNN" => "LSTM and GRU are the recurrent layers that can be imported",
        _ if NAMES.split_ascii_whitespace().any(|name| name == op) => "there is no counterpart here",
        _ => {
            let meant = cnn_ir::diag::nearest(op, known);
            let meant = meant.map_or(String::new(), |name| format!("; did you mean `{name}`?"));
            return format!("this is no operator of ONNX{meant}");
        }
    };
    format!("this operator cannot be imported: {reason}")
}

/// The operators of ONNX, opset 1 to 26.
const NAMES: &str = "
    Abs Acos Acosh Add AffineGrid And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool
    BatchNormalization Bernoulli BitCast BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow
    Cast CastLike CausalConvWithState Ceil Celu CenterCropPad Clip Col2Im Compress Concat ConcatFromSequence
    Constant ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh CumProd CumSum DFT DeformConv
    DepthToSpace DequantizeLinear Det Div Dropout DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand
    EyeLike Flatten Floor GRU Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool
    GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization HammingWindow HannWindow HardSigmoid
    HardSwish Hardmax Identity If ImageDecoder InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization
    LeakyRelu Less LessOrEqual LinearAttention Log LogSoftmax Loop LpNormalization LpPool MatMul MatMulInteger
    Max MaxPool MaxRoiPool MaxUnpool Mean MeanVarianceNormalization MelWeightMatrix Min Mish Mod Mul
    Multinomial Neg NegativeLogLikelihoodLoss NonMaxSuppression NonZero Not OneHot Optional OptionalGetElement
    OptionalHasElement Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RMSNormalization RNN
    RandomNormal RandomNormalLike RandomUniform RandomUniformLike Range Reciprocal ReduceL1 ReduceL2
    ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare
    RegexFullMatch Relu Reshape Resize ReverseSequence RoiAlign RotaryEmbedding Round STFT Scan Scatter
    ScatterElements ScatterND Selu SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert
    SequenceLength SequenceMap Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax SoftmaxCrossEntropyLoss
    Softplus Softsign SpaceToDepth Split SplitToSequence Sqrt Squeeze StringConcat StringNormalizer
    StringSplit Sub Sum SwiGLU Swish Tan Tanh TensorScatter TfIdfVectorizer ThresholdedRelu Tile TopK
    Transpose Trilu Unique Unsqueeze Upsample Where Xor
";
