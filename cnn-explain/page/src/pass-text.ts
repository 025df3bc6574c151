/** What a student should know about each pass, in Korean. The English is the compiler's own: it comes with the data. */

import type { PassStep } from "./data";
import { language } from "./strings";

const KOREAN: Record<string, string> = {
  expand: "많은 연산은 다른 연산의 또 다른 이름입니다. 펼치기(flatten)는 모양 바꾸기이고, 전역 평균은 행과 열에 대한 평균입니다. 여기서 한 번만 그렇게 풀어 쓰면, 뒤의 단계들은 작은 핵심 연산만 알면 됩니다.",
  dead_code: "출력에서 입력 쪽으로 거슬러 올라가면 필요한 층을 모두 만납니다. 나머지는 계산하지 않습니다. 학습에만 필요했던 층이 남아 있는 네트워크가 있는데, 보조 분류기가 달린 GoogLeNet이 그렇습니다.",
  drop_identities: "어떤 층은 학습할 때만 뜻이 있거나(드롭아웃), 지금의 크기에서는 아무 일도 하지 않습니다. 그대로 두면 맵 전체를 복사해야 하고, 융합할 수 있는 층들 사이를 가로막습니다.",
  fold_batch_norm: "추론할 때 배치 정규화는 채널마다 한 수를 곱하고 다른 한 수를 더할 뿐입니다. 앞의 합성곱은 선형이므로, 불러올 때 한 번 가중치의 배율을 바꾸고 편향을 옮기면 결과가 같습니다: w' = w·γ/√(σ²+ε), b' = (b−μ)·γ/√(σ²+ε) + β.",
  fold_pad: "합성곱은 거기 없는 0 위로도 미끄러질 줄 압니다. 그 앞의 패딩 층은 그 0을 적어 넣으려고 맵 전체를 복사할 뿐입니다.",
  fuse_activation: "활성화를 따로 두면 원소마다 한두 번의 연산을 위해 맵 전체를 읽고 씁니다. 원소가 아직 레지스터에 있을 때 적용하면 메모리를 전혀 오가지 않습니다.",
  fuse_quantized: "정수 층과 정수 층 사이에는 실수가 필요 없습니다. 입력과 가중치와 결과의 배율을 필터마다 하나의 계수로 합쳐, 정수 곱을 모두 더한 합에 한 번만 곱합니다. 8비트 맵은 메모리를 오가는 양이 4분의 1이고, 명령 하나가 실수의 네 배나 되는 8비트 정수를 곱합니다.",
  fuse_residual: "잔차 합을 따로 하면 맵 두 장을 읽고 한 장을 씁니다. 둘 중 하나를 만드는 합성곱은 저장하기 전에 원소를 레지스터에 들고 있습니다. 거기서 다른 맵을 더하면 맵 한 장을 쓰고 다시 읽는 일이 없어집니다.",
};

/** The lesson of a pass in the page's language; in the compiler's words where nobody has translated them. */
export function lesson({ pass, lesson: english }: PassStep): string {
  return language() === "ko" ? KOREAN[pass] ?? english : english;
}
