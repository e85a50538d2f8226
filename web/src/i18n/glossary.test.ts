import { describe, expect, it } from "vitest";

const parts = (glob: Record<string, Record<string, string>>) => Object.values(glob).flatMap((part) => Object.entries(part)).filter(([key]) => !key.startsWith("problem."));
const english = parts(import.meta.glob<Record<string, string>>("./*.en.ts", { eager: true, import: "default" }));
const chinese = parts(import.meta.glob<Record<string, string>>("./*.zh.ts", { eager: true, import: "default" }));

/** The field's terms, as mainland textbooks have them. What the page does not speak of (fine-tuning, embeddings) is not here. */
const TERMS: readonly [string, ...string[]][] = [
  ["recurrent", "循环神经网络"], ["forward pass", "前向传播"], ["backpropagation", "反向传播"], ["backpropagation through time", "随时间反向传播"], ["truncated", "截断"],
  ["time step", "时间步"], ["hidden state", "隐状态"], ["cell state", "细胞状态"], ["input gate", "输入门"], ["forget gate", "遗忘门"], ["output gate", "输出门"],
  ["reset gate", "重置门"], ["update gate", "更新门"], ["candidate", "候选状态"], ["parameter sharing", "参数共享"], ["bias", "偏置"], ["chain rule", "链式法则"],
  ["computation graph", "计算图"], ["vector-jacobian product", "向量-雅可比积"], ["contribution", "梯度贡献"], ["accumulate", "累加"], ["vanish", "梯度消失"], ["explod", "梯度爆炸"],
  ["clip", "梯度裁剪"], ["global norm", "全局范数"], ["zero", "梯度清零"], ["loss", "损失"], ["squared error", "均方误差"], ["cross-entropy", "交叉熵"], ["logits", "未规范化的预测"],
  ["learning rate", "学习率"], ["gradient descent", "梯度下降"], ["moment", "一阶矩", "二阶矩"], ["bias correction", "偏差修正"], ["weight decay", "解耦权重衰减"], ["mini-batch", "小批量"],
  ["epoch", "轮"], ["finite difference", "有限差分"], ["validation", "验证集"], ["hyper-parameter", "超参数"], ["accuracy", "准确率"], ["precision", "精确率"], ["recall", "召回率"],
  ["f1", "F1 值"], ["step", "步"], ["run", "运行"], ["trace", "轨迹"],
];

/** What other books say, and the page does not: each would be a second name of a thing that has one. */
const OTHERS = [/隐藏状态/, /隐含状态/, /记忆门/, /遗忘闸/, /递归神经网络/, /反向传递/, /前向传递/, /超参(?!数)/, /学习速率/, /梯度截断/, /截断.{0,2}范数/, /互熵/, /细胞态/, /损耗/, /偏移量/];

describe("the field's terms", () => {
  it("are those of the glossary in both languages", () => {
    const [en, zh] = [english, chinese].map((messages) => messages.map(([, message]) => message).join("\n").toLowerCase());
    for (const [term, ...terms] of TERMS) {
      expect([term, en!.includes(term)]).toEqual([term, true]);
      for (const one of terms) expect([term, one, zh!.includes(one.toLowerCase())]).toEqual([term, one, true]);
    }
  });

  it("have no second name", () => {
    for (const other of OTHERS) expect([other.source, chinese.filter(([, message]) => other.test(message))]).toEqual([other.source, []]);
    expect(english.filter(([, message]) => /\b(hidden vector|back-propagation|hyperparameter|crossentropy|minibatch)\b/i.test(message))).toEqual([]);
  });
});
