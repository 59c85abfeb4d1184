/** All registers and matrices of a project, in the order in which they are bound. */
import type { RunCheck } from '../../../schemas/run-event.ts';
import { lbsRegister, wbsRegister } from './registers/breakdown.ts';
import { documentRegister, standardsRegister } from './registers/documents.ts';
import { evidenceCoverage, evidenceIndex } from './registers/evidence.ts';
import { findingsRegister, gapsRegister } from './registers/gaps.ts';
import { itpRegister, pointRegister } from './registers/itps.ts';
import { wbsByItp, wbsByLbs } from './registers/matrices.ts';
import { environmentalAspects, safetyHazards } from './registers/plans.ts';
import { traceability } from './registers/traceability.ts';
import type { Site } from './site.ts';
import type { Table } from './table.ts';

/** @param check what the rules found; without it there is no register of findings, rather than an empty one. */
export function registersOf(site: Site, check?: RunCheck): Table[] {
  return [
    itpRegister(site, check),
    pointRegister(site),
    documentRegister(site),
    standardsRegister(site),
    wbsRegister(site),
    lbsRegister(site),
    wbsByLbs(site),
    wbsByItp(site),
    traceability(site),
    environmentalAspects(site),
    safetyHazards(site),
    ...(check === undefined ? [] : [findingsRegister(check)]),
    gapsRegister(site),
    evidenceIndex(site),
    evidenceCoverage(site),
  ];
}
