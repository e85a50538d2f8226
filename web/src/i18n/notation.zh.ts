/** 公式的写法。 */
export default {
  "teach.notation": "记法",
  "teach.notation.product": "向量写成",
  "teach.notation.column": "列向量",
  "teach.notation.row": "行向量",
  "teach.notation.z": "GRU 的更新门 z",
  "teach.notation.keep": "保留旧状态",
  "teach.notation.renew": "采用新状态",
  "teach.notation.column_note": "权重写在向量之前，多数教科书如此。两种写法的数值相同。",
  "teach.notation.row_note": "权重转置后写在向量之后，PyTorch 就是这样计算的。两种写法的数值相同。",
  "teach.notation.keep_note": "PyTorch 和 Cho 等人（2014）的约定。",
  "teach.notation.renew_note": "Chung 等人（2014）的约定：显示的门是 1 减去 PyTorch 的 z，其梯度符号相反。权重和其他数都不变。",
} as const;
