// The page's header facts: title, subtitle, tier, quality strip, notes and unit. Owns the
// reading of the JSON part, whose keys are quoted because the build shortens other names.
// Absent optional texts become empty, wrong shapes are errors. Knows nothing about columns.

import { fail, isRecord } from "./container";

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
  strings: string[];
  /** States of goroutines; 0 is none. */
  states: string[];
  /** Labels the program had set on a goroutine; 0 is none. */
  labelSets: Record<string, string>[];
}

export function readHeader(json: Record<string, unknown>): PageHeader {
  return {
    title: text(json["title"], "title"),
    subtitle: texts(json["subtitle"], "subtitle"),
    tier: text(json["tier"], "tier"),
    quality: list(json["quality"], "quality").map(readQuality),
    notes: texts(json["notes"], "notes"),
    unit: text(json["unit"], "unit") || "samples",
    states: texts(json["states"], "states"),
    labelSets: list(json["label_sets"], "label_sets").map(readLabels),
    strings: texts(json["strings"], "strings"),
  };
}

function readQuality(value: unknown): Quality {
  if (!isRecord(value)) fail("quality is not a list of objects");
  return {
    label: text(value["label"], "quality label"),
    value: text(value["value"], "quality value"),
    note: text(value["note"], "quality note"),
    level: readLevel(value["level"]),
  };
}

function readLabels(value: unknown): Record<string, string> {
  if (!isRecord(value)) fail("label_sets is not a list of objects");
  for (const key in value) text(value[key], `label ${key}`);
  return value as Record<string, string>;
}

function readLevel(value: unknown): QualityLevel {
  return value === "good" || value === "warn" || value === "bad" ? value : "";
}

function text(value: unknown, name: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") fail(`${name} is not a text`);
  return value;
}

function texts(value: unknown, name: string): string[] {
  return list(value, name).map((entry) => text(entry, name));
}

function list(value: unknown, name: string): unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) fail(`${name} is not a list`);
  return value;
}
