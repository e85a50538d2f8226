import { expect, it } from "vitest";
import { decimals, fixed, power, short, significant, six, tex, three, two } from "./format";

it("prints a sign, and zero without one", () => {
  expect([two(0.5), two(-0.658), two(0), two(-0), two(0.001)]).toEqual(["+0.50", "\u22120.66", "0", "0", "+0.00"]);
  expect(fixed(0.3587, 4, false)).toBe("0.3587");
});

it("writes six significant digits", () => {
  expect(six(-0.6245678)).toBe("\u22120.624568");
  expect(six(0.366068)).toBe("+0.366068");
  expect(six(123.456789)).toBe("+123.457");
  expect(six(9.9999999)).toBe("+10.0000");
  expect(six(6.24e-7)).toBe("+6.24000\u00b710\u207b\u2077");
  expect(six(1234567)).toBe("+1.23457\u00b710\u2076");
});

it("writes three where they are wanted, however small a number is", () => {
  expect([0.000327971, -0.0124049, 0.9996, 3.3e-5, 0, NaN].map((x) => significant(x, 3))).toEqual(["+0.000328", "\u22120.0124", "+1.00", "+3.30\u00b710\u207b\u2075", "0", "NaN"]);
});

it("uses powers of ten where decimals would hide a number", () => {
  expect([three(-6e-7), three(0), three(0.0004999)]).toEqual(["\u22126\u00b710\u207b\u2077", "0", "+5\u00b710\u207b\u2074"]);
  expect(power(9.96e-4)).toBe("+1\u00b710\u207b\u00b3");
  expect(decimals(2.5e7, 3)).toBe("+2.50\u00b710\u2077");
});

it("writes the largest numbers as short as any", () => {
  expect([fixed(-7.3e192, 4), decimals(-7.3e192, 6), six(1e300), fixed(1e6, 2, false), fixed(999999, 0)]).toEqual([
    "\u22127.30\u00b710\u00b9\u2079\u00b2", "\u22127.30\u00b710\u00b9\u2079\u00b2", "+1.00000\u00b710\u00b3\u2070\u2070", "1.00\u00b710\u2076", "+999999",
  ]);
});

it("writes what is no finite number", () => {
  expect([six(NaN), three(Infinity), two(-Infinity)]).toEqual(["NaN", "+\u221e", "\u2212\u221e"]);
});

it("turns a number into TeX", () => {
  expect(tex(power(-6e-7))).toBe("-6\\cdot 10^{-7}");
  expect(tex("+\u221e")).toBe("+\\infty ");
});

it("leaves out zeros at the end where six digits are not wanted", () => {
  expect([0.9, 1e-8, 40, 100, 0.0118871, -0.5, 0, 1.25e7, 1234567.8].map(short)).toEqual(["0.9", "1·10⁻⁸", "40", "100", "0.0118871", "−0.5", "0", "1.25·10⁷", "1.23457·10⁶"]);
});
