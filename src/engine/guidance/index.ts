/**
 * Classifier-free guidance with two conditions, as a plan (which passes of the network a call needs) and a sum (how
 * to put them together). No model in sight.
 */
export { combine, type Predictions, shareOfSegments } from './combine.ts';
export {
  type Conditions,
  countPasses,
  type GuidanceCall,
  type GuidanceDials,
  type GuidanceStep,
  type GuidanceTerm,
  PASSES,
  type PassName,
  planGuidance,
  planGuidanceRun,
  planPasses,
} from './plan.ts';
export {
  callProgress,
  type Interval,
  isActive,
  type SegmentGuidance,
  weightMap,
  type WeightMap,
  weightOutside,
  weightsAt,
} from './weights.ts';
