/** The course's words: each stop with its title and paragraphs, in English and in Korean. `=` begins an equation. */

export interface Stop {
  key: string;
  title: [string, string];
  text: [string, string][];
  /** A small network of the course to try it on, and its layer. */
  lesson?: string;
  layer?: string;
  /** A famous network's table, by name. */
  outline?: string;
  /** Two tables side by side. */
  pair?: [string, string];
  /** The slider of the output-size formula. */
  formula?: boolean;
  /** The calls of other frameworks. */
  calls?: boolean;
  /** The layers of the reader's own network that this is about. */
  own?: (layer: { word: string; arithmetic: { kind: string } & Record<string, unknown>; value: { extent: number[] }; shape: number[]; operands: number[] }) => boolean;
}

type Own = NonNullable<Stop["own"]>;
const conv = (test: (window: { size: number[]; stride: number[]; sides: number[] }, shape: number[]) => boolean): Own => (layer) =>
  layer.arithmetic.kind === "conv" && test(layer.arithmetic.window as { size: number[]; stride: number[]; sides: number[] }, layer.shape);

export const STOPS: Stop[] = [
  {
    key: "convolution",
    title: ["What a convolution is", "합성곱이란"],
    text: [
      ["A filter is a small square of numbers. It is laid on the image, each pixel under it is multiplied with the number on it, and the products are added up: that is one number of the result. Then it moves one pixel on.", "필터는 작은 정사각형에 담긴 수입니다. 영상 위에 올려놓고, 겹치는 픽셀마다 필터의 수를 곱해 모두 더하면 결과의 수 하나가 됩니다. 그런 다음 한 픽셀 옮깁니다."],
      ["Here a 5 × 5 image of zeros and ones lies under the filter 101 / 010 / 101. Point at a cell of the output and count: the result says how many of the filter's five ones meet a one of the image.", "여기서는 0과 1로 된 5 × 5 영상 위에 필터 101 / 010 / 101이 놓입니다. 출력의 칸을 가리켜 세어 보세요. 결과는 필터의 1 다섯 개 가운데 몇 개가 영상의 1과 만나는지 알려 줍니다."],
    ],
    lesson: "convolution",
    own: conv(() => true),
  },
  {
    key: "count",
    title: ["Counting multiplications", "곱셈 세기"],
    text: [
      ["Each number of the result costs one multiplication for each number of the filter. A 3 × 3 filter fits on a 4 × 4 image at 2 × 2 places:", "결과의 수 하나마다 필터의 수만큼 곱셈이 듭니다. 3 × 3 필터는 4 × 4 영상의 2 × 2곳에 들어맞습니다:"],
      ["= (2×2) × (3×3) = 36", "= (2×2) × (3×3) = 36"],
    ],
    lesson: "count",
    own: conv(() => true),
  },
  {
    key: "channels",
    title: ["Channels: convolution of a volume", "채널: 입체의 합성곱"],
    text: [
      ["A colour image has three channels. So has the filter: each channel of the image meets its own square of numbers, and the three sums are added to one. However deep the image is, one filter gives one flat map.", "컬러 영상에는 채널이 셋 있습니다. 필터도 그렇습니다. 영상의 채널마다 제 몫의 수가 곱해지고, 세 합을 더해 하나로 만듭니다. 영상이 아무리 깊어도 필터 하나는 납작한 맵 하나를 냅니다."],
      ["= (4×4) × (3×3×3) = 432", "= (4×4) × (3×3×3) = 432"],
    ],
    lesson: "channels",
    own: conv(() => true),
  },
  {
    key: "filters",
    title: ["Several filters", "여러 필터"],
    text: [
      ["Two filters look for two things and give two maps: the channels of the result. The first one finds vertical edges in red and horizontal ones in green, the second the other way round.", "필터가 둘이면 두 가지를 찾아 맵 둘을 냅니다. 이것이 결과의 채널입니다. 첫째는 빨강의 세로 모서리와 초록의 가로 모서리를, 둘째는 그 반대를 찾습니다."],
      ["= (4×4) × (3×3×3) × 2 = 864", "= (4×4) × (3×3×3) × 2 = 864"],
    ],
    lesson: "filters",
    own: conv(() => true),
  },
  {
    key: "stride",
    title: ["Stride", "보폭(stride)"],
    text: [
      ["With stride 2 the filter moves two pixels at a time. Of 3 × 3 places 2 × 2 are left, and the map is about half as high and wide: fewer numbers, less work for all layers after it.", "보폭이 2이면 필터가 두 픽셀씩 움직입니다. 3 × 3곳 가운데 2 × 2곳만 남고, 맵의 높이와 너비는 절반쯤이 됩니다. 수가 줄어 뒤의 모든 층의 일도 줄어듭니다."],
    ],
    lesson: "stride",
    own: conv((window) => Math.max(...window.stride) > 1),
  },
  {
    key: "padding",
    title: ["Padding: valid and same", "패딩: valid와 same"],
    text: [
      ["Without padding (“valid”) the filter stays inside the image, and the map shrinks: 5 becomes 3. With padding “same”, zeros are put around the image so that the map keeps its size at stride 1. Point at a corner: the hatched cells are padding.", "패딩이 없으면(valid) 필터는 영상 안에만 머물고 맵이 줄어듭니다. 5가 3이 됩니다. same 패딩은 영상 둘레에 0을 둘러 보폭 1에서 맵의 크기를 지킵니다. 모서리를 가리켜 보세요. 빗금 친 칸이 패딩입니다."],
    ],
    lesson: "padding",
    own: conv((window) => window.sides.some((side) => side > 0)),
  },
  {
    key: "size",
    title: ["The size of the output", "출력의 크기"],
    text: [
      ["How many places does a filter have? The padded image has n + 2p pixels, the filter covers k of them, and every s-th remaining place counts:", "필터가 놓일 곳은 몇 군데일까요? 패딩한 영상은 n + 2p 픽셀이고, 필터가 그중 k를 덮으며, 남은 자리에서 s칸마다 하나씩 셉니다:"],
      ["= ⌊(n + 2p − k) / s⌋ + 1", "= ⌊(n + 2p − k) / s⌋ + 1"],
    ],
    formula: true,
    own: conv(() => true),
  },
  {
    key: "one",
    title: ["1×1 convolution", "1×1 합성곱"],
    text: [
      ["A filter of one pixel sees no neighbours. It is a weighted sum of the channels, the same at every pixel: two such filters make two mixtures of three colours. Its use is to change the number of channels cheaply.", "한 픽셀짜리 필터는 이웃을 보지 않습니다. 픽셀마다 똑같은, 채널의 가중합입니다. 이런 필터 둘은 세 색을 두 가지로 섞습니다. 채널 수를 값싸게 바꾸는 데 씁니다."],
    ],
    lesson: "one",
    own: conv((window) => window.size[0] * window.size[1] === 1),
  },
  {
    key: "activation",
    title: ["Bias and activation", "편향과 활성화"],
    text: [
      ["After the sum a number that belongs to the filter, the bias, is added; here it is −3. Then a function bends the result. ReLU makes zeros of everything negative; without such a bend, two convolutions would be no more than one.", "합을 낸 뒤 필터마다 있는 수인 편향을 더합니다. 여기서는 −3입니다. 그다음 함수가 결과를 꺾습니다. ReLU는 음수를 모두 0으로 만듭니다. 이런 꺾임이 없으면 합성곱 둘은 하나와 다를 것이 없습니다."],
      ["= y = max(Σ x·w + b, 0)", "= y = max(Σ x·w + b, 0)"],
    ],
    lesson: "activation",
    own: (layer) => layer.arithmetic.kind === "function" || !!(layer.arithmetic as { activation?: unknown }).activation,
  },
  {
    key: "pooling",
    title: ["Pooling", "풀링"],
    text: [
      ["Pooling makes a map smaller without any weights. Of each 2 × 2 window, max pooling keeps the greatest number and average pooling the mean. What was found stays found, a little less precisely where.", "풀링은 가중치 없이 맵을 줄입니다. 2 × 2 창마다 최대 풀링은 가장 큰 수를, 평균 풀링은 평균을 남깁니다. 찾은 것은 그대로이고 자리만 조금 덜 정확해집니다."],
    ],
    lesson: "pooling",
    own: (layer) => layer.arithmetic.kind === "pool" || layer.arithmetic.kind === "global_pool",
  },
  {
    key: "lenet",
    title: ["LeNet-5", "LeNet-5"],
    text: [
      ["LeNet-5 (LeCun and others, 1998) read the digits on cheques. Convolution, pooling, convolution, pooling; the maps get smaller and more numerous, until a map is one pixel. Then dense layers: each number of the result is a weighted sum of all numbers before.", "LeNet-5(LeCun 등, 1998)는 수표의 숫자를 읽었습니다. 합성곱, 풀링, 합성곱, 풀링. 맵은 작아지고 많아져 마침내 한 픽셀이 됩니다. 그 뒤는 완전 연결층으로, 결과의 수마다 앞의 모든 수의 가중합입니다."],
      ["Its 61,706 parameters fit on this page; `cnn explain lenet5` shows every one of them at work on a handwritten 7.", "매개변수 61,706개는 한 페이지에 다 들어갑니다. `cnn explain lenet5`는 손으로 쓴 7에 대해 그 모두가 일하는 모습을 보여 줍니다."],
    ],
    outline: "lenet5",
    own: (layer) => layer.arithmetic.kind === "dense",
  },
  {
    key: "alexnet",
    title: ["AlexNet", "AlexNet"],
    text: [
      ["AlexNet (Krizhevsky and others, 2012) won ImageNet by a wide margin. It is LeNet grown large: 224 × 224 colour images, ReLU instead of tanh, 11 × 11 filters with stride 4 at first, and local response normalisation. Some convolutions are in two groups, because it was trained on two graphics cards. Most of its parameters are in the dense layers, most of its multiplications in the convolutions.", "AlexNet(Krizhevsky 등, 2012)은 ImageNet에서 크게 앞서 우승했습니다. 크게 자란 LeNet입니다. 224 × 224 컬러 영상, tanh 대신 ReLU, 처음에는 보폭 4의 11 × 11 필터, 그리고 국소 반응 정규화. 그래픽 카드 두 장으로 학습했기 때문에 몇몇 합성곱은 두 그룹입니다. 매개변수는 대부분 완전 연결층에, 곱셈은 대부분 합성곱에 있습니다."],
    ],
    outline: "alexnet",
    own: (layer) => layer.arithmetic.kind === "lrn",
  },
  {
    key: "vgg",
    title: ["VGG-16", "VGG-16"],
    text: [
      ["VGG-16 (Simonyan and Zisserman, 2014) uses nothing but 3 × 3 filters with padding 1. Two of them one after the other see 5 × 5 pixels with 18 weights instead of 25 and one more bend. After each pool the channels double. It is simple, accurate, and costs 15.5 thousand million multiplications an image.", "VGG-16(Simonyan, Zisserman, 2014)은 패딩 1의 3 × 3 필터만 씁니다. 둘을 이으면 가중치 25개 대신 18개로 5 × 5 픽셀을 보고 꺾임도 하나 더 생깁니다. 풀링마다 채널이 두 배가 됩니다. 단순하고 정확하지만 영상 하나에 곱셈 155억 번이 듭니다."],
    ],
    outline: "vgg16",
    own: conv((window) => window.size[0] === 3 && window.size[1] === 3),
  },
  {
    key: "resnet",
    title: ["ResNet: residual sums", "ResNet: 잔차 합"],
    text: [
      ["Very deep networks were hard to train. ResNet (He and others, 2015) adds the input of two layers to their result: the layers need to learn only what is to be changed, and if nothing is, they learn zeros. In the graph it is the edge that runs past the box.", "아주 깊은 네트워크는 학습하기 어려웠습니다. ResNet(He 등, 2015)은 두 층의 입력을 결과에 더합니다. 층은 바꿀 것만 배우면 되고, 바꿀 것이 없으면 0을 배웁니다. 그래프에서 상자를 지나쳐 가는 선이 그것입니다."],
      ["= y = max(F(x) + x, 0)", "= y = max(F(x) + x, 0)"],
    ],
    lesson: "residual",
    layer: "sum",
    outline: "resnet18",
    own: (layer) => layer.arithmetic.kind === "combine",
  },
  {
    key: "inception",
    title: ["Inception: 1×1 before 5×5", "Inception: 5×5 앞의 1×1"],
    text: [
      ["Which filter size is right? The Inception module (Szegedy and others, 2014) takes 1 × 1, 3 × 3, 5 × 5 and a pool side by side and joins their channels. Done naively on 192 channels, the 5 × 5 filters alone multiply 120 million times:", "어느 필터 크기가 맞을까요? Inception 모듈(Szegedy 등, 2014)은 1 × 1, 3 × 3, 5 × 5와 풀링을 나란히 두고 채널을 이어 붙입니다. 채널 192개에 그대로 하면 5 × 5 필터만으로 곱셈이 1억 2천만 번입니다:"],
      ["= (28×28) × (5×5×192) × 32 = 120,422,400", "= (28×28) × (5×5×192) × 32 = 120,422,400"],
      ["If 16 filters of 1 × 1 squeeze the channels first, about a tenth is left:", "먼저 1 × 1 필터 16개로 채널을 줄이면 약 10분의 1만 남습니다:"],
      ["= (28×28)×192×16 + (28×28)×(5×5×16)×32 = 2,408,448 + 10,035,200", "= (28×28)×192×16 + (28×28)×(5×5×16)×32 = 2,408,448 + 10,035,200"],
    ],
    pair: ["inception_naive", "inception_reduced"],
    own: (layer) => layer.arithmetic.kind === "concat",
  },
  {
    key: "googlenet",
    title: ["GoogLeNet", "GoogLeNet"],
    text: [
      ["GoogLeNet is nine Inception modules one after the other. In place of large dense layers it takes the mean of every map at the end. It has a ninth of AlexNet's parameters and is more accurate.", "GoogLeNet은 Inception 모듈 아홉 개를 이은 것입니다. 끝에서는 큰 완전 연결층 대신 맵마다 평균을 냅니다. 매개변수는 AlexNet의 9분의 1이고 더 정확합니다."],
    ],
    outline: "googlenet",
    own: (layer) => layer.arithmetic.kind === "global_pool",
  },
  {
    key: "frameworks",
    title: ["TensorFlow's conv2d and PyTorch's Conv2d", "TensorFlow의 conv2d와 PyTorch의 Conv2d"],
    text: [
      ["The same layer in three languages. PyTorch keeps images as channels, rows, columns and filters as [filters, channels, rows, columns]; TensorFlow keeps channels last, and filters as [rows, columns, channels, filters]. TensorFlow pads by word, “VALID” or “SAME”; PyTorch by number.", "같은 층을 세 가지 말로 씁니다. PyTorch는 영상을 채널, 행, 열로, 필터를 [필터, 채널, 행, 열]로 둡니다. TensorFlow는 채널을 마지막에, 필터를 [행, 열, 채널, 필터]로 둡니다. TensorFlow의 패딩은 “VALID”, “SAME”이라는 말이고 PyTorch의 패딩은 수입니다."],
    ],
    calls: true,
    own: conv(() => true),
  },
];
