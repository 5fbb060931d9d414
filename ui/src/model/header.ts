// The page's header facts: title, subtitle, tier, quality strip, notes and unit.
// Owns the reading of the JSON part. Absent optional texts become empty, wrong shapes
// are errors. Knows nothing about columns.

import { DataError, isRecord } from "./container";

export type QualityLevel = "good" | "warn" | "bad" | "";

export interface Quality {
  label: string;
  value: string;
  note: string;
  level: QualityLevel;
}

export interface PageHeader {
  title: string;
  subtitle: string[];
  tier: string;
  quality: Quality[];
  notes: string[];
  unit: string;
  periodNs: number;
  strings: string[];
}

export function readHeader(json: Record<string, unknown>): PageHeader {
  return {
    title: text(json.title, "title"),
    subtitle: texts(json.subtitle, "subtitle"),
    tier: text(json.tier, "tier"),
    quality: list(json.quality, "quality").map(readQuality),
    notes: texts(json.notes, "notes"),
    unit: text(json.unit, "unit") || "samples",
    periodNs: typeof json.period_ns === "number" ? json.period_ns : 0,
    strings: texts(json.strings, "strings"),
  };
}

function readQuality(value: unknown): Quality {
  if (!isRecord(value)) throw new DataError("quality has an entry that is not an object");
  return {
    label: text(value.label, "quality label"),
    value: text(value.value, "quality value"),
    note: text(value.note, "quality note"),
    level: readLevel(value.level),
  };
}

function readLevel(value: unknown): QualityLevel {
  return value === "good" || value === "warn" || value === "bad" ? value : "";
}

function text(value: unknown, name: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") throw new DataError(`${name} in the header is not a text`);
  return value;
}

function texts(value: unknown, name: string): string[] {
  return list(value, name).map((entry) => text(entry, name));
}

function list(value: unknown, name: string): unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new DataError(`${name} in the header is not a list`);
  return value;
}
