"""What the figures say, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Language = Literal["en", "zh"]

_WORDS: Mapping[str, tuple[str, str]] = {
    # the loss of a run
    "training_step": ("step", "步"),
    "loss": ("loss", "损失"),
    "raw": ("each step", "每一步"),
    "smooth": ("smoothed", "平滑"),
    "validation": ("validation", "验证集"),
    "gaps": (
        "{count} of {steps} steps have no finite loss (the first is step {first})",
        "{steps} 步中有 {count} 步的损失不是有限数（首先是第 {first} 步）",
    ),
    # evaluations and landscapes
    "predicted": ("predicted", "预测"),
    "target": ("target", "目标"),
    "in_plane": ("of the runs' ways in this plane: {shares}", "各运行的路径落在此平面内的比例：{shares}"),
    # traces
    "time_step": ("time step", "时间步"),
    "norm": ("norm", "范数"),
    "read_at": ("L at step t", "第 t 步的损失 L"),
    "state_at": ("state of step s", "第 s 步的状态"),
    "later_state": ("state of step t", "第 t 步的状态"),
    "share": ("share of ‖G‖", "在 ‖G‖ 中的份额"),
    "outside_time": ("outside time", "不属于任何时间步"),
    "uses_sum": ("{parameter}: the bars add up to ‖G‖ = {norm}", "{parameter}：各柱之和为 ‖G‖ = {norm}"),
    "magnitude": ("magnitude of an element of the gradient", "梯度元素的绝对值"),
    "elements": ("elements", "元素个数"),
    "left_out": ("not shown: {zeros} zeros, {nonfinite} that are not finite", "未显示：{zeros} 个零，{nonfinite} 个非有限数"),
    "gradient": ("gradient ‖g‖", "梯度 ‖g‖"),
    "clipped": ("after clipping", "裁剪之后"),
    "delta": ("step ‖Δ‖", "更新量 ‖Δ‖"),
    "ratio": ("step relative to the parameter ‖Δ‖ / ‖W‖", "相对于参数的更新量 ‖Δ‖ / ‖W‖"),
    "parameter": ("parameter", "参数"),
    "logarithm": ("log₁₀", "log₁₀"),
    # sweeps
    "importance": ("share of the difference between trials", "在各次试验差异中所占的份额"),
    "too_few_trials": ("not enough trials yet to tell", "试验次数还不够，尚无法判断"),
}


def words(language: Language) -> Mapping[str, str]:
    """Every phrase in a language, by its key."""
    return {key: phrases[("en", "zh").index(language)] for key, phrases in _WORDS.items()}
