import type { CurvatureResult } from "../../curvature/result.ts";
import type { Report } from "../paths.ts";
import { writeReportFolder } from "../write.ts";
import { curvatureFigures } from "./figures.ts";
import { missingTexts } from "./missing.ts";
import { factsOf, layersTable, numbersTable } from "./tables.ts";

/** Writes the report of a curvature measurement to the folder `outDir`: all numbers, and a figure of whatever was measured. */
export const writeCurvatureReport = (result: CurvatureResult, outDir: string): Promise<Report> => {
  const { figures, missing } = curvatureFigures(result);
  const { layers = [] } = result;
  return writeReportFolder(outDir, {
    title: `Curvature of ${result.model} on ${result.data}`,
    facts: factsOf(result),
    tables: [numbersTable(result)],
    figures,
    missing: missingTexts(missing, result.missing),
    details: layers.length === 0 ? [] : [layersTable(layers)],
  });
};
