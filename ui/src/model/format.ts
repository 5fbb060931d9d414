// Numbers as readers see them: counts with separators, shares with one decimal.

const counts = new Intl.NumberFormat("en-US");

export function formatCount(value: number): string {
  return counts.format(value);
}

/** `1 sample`, `1,874 samples`. */
export function formatAmount(value: number, unit: string): string {
  return `${formatCount(value)} ${value === 1 ? unit.replace(/s$/, "") : unit}`;
}

/** `14.0 %`; a share that is small but not nothing never reads as zero. */
export function formatShare(part: number, whole: number): string {
  if (whole <= 0) return "–";
  const percent = (100 * part) / whole;
  if (percent > 0 && percent < 0.05) return "< 0.1 %";
  if (percent < 100 && percent > 99.95) return "> 99.9 %";
  return `${percent.toFixed(1)} %`;
}
