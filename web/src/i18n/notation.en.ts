/** How formulas are written. */
export default {
  "teach.notation": "Notation",
  "teach.notation.product": "Vectors are",
  "teach.notation.column": "columns",
  "teach.notation.row": "rows",
  "teach.notation.z": "The GRU's update gate z",
  "teach.notation.keep": "keeps the old state",
  "teach.notation.renew": "takes the new one",
  "teach.notation.column_note": "A weight stands before its vector, as in most textbooks. The numbers are the same either way.",
  "teach.notation.row_note": "A weight stands transposed after its vector, as PyTorch computes. The numbers are the same either way.",
  "teach.notation.keep_note": "As PyTorch has it, and Cho et al. 2014.",
  "teach.notation.renew_note": "As Chung et al. 2014 have it: the gate shown is 1 minus PyTorch's z, its gradient has the other sign. Weights and all other numbers stay.",
} as const;
