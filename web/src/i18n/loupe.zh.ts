/** 梯度条的放大镜。 */
export default {
  "loupe.name": "放大镜",
  "loupe.refitted": "重新拟合的尺度，不是锁定的尺度",
  "loupe.zone": "asinh：在 −{zone} 到 +{zone} 之间为线性，之外为对数",
  "loupe.beyond": "箭头表示超出边缘 ±{max}。",
  "loupe.zeros": "这些全都恰好是 0：没有可供拟合的尺度。",
  "loupe.time": "随时间",
  "loupe.elements": "旁边的元素",
  "loupe.edges": "沿着边，从损失向后",
  "loupe.not_yet": "尚未到达",
  "loupe.here": "正在看的数",
  "loupe.said": "放大镜：{name}，{value}。这是重新拟合的尺度，不是锁定的尺度；到 {zone} 为止是线性的。",
  "loupe.said_zero": "放大镜：{name}，{value}。",
  "loupe.none": "视野中没有梯度。",
};
