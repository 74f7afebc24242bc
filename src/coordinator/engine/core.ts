import type { Logger } from '../../observability/logger.ts';
import type { FaultInjector } from '../faults/fault-injector.ts';
import type { CompleteOptions } from '../options.ts';
import type { SourcesMount } from '../sources-mount.ts';
import type { CoordinatorStore } from '../store/coordinator-store.ts';
import type { Conductor } from './conductor.ts';
import type { CounterBook } from './counter-book.ts';
import type { JobBook } from './job-book.ts';
import type { JobQueue } from './job-queue.ts';
import type { PipelineBook } from './pipeline-book.ts';
import type { ProtocolNotes } from './protocol-notes.ts';
import type { RunnerRegistry } from './runner-registry.ts';
import type { TraceBook } from './trace-book.ts';

/** Everything the request handlers work on. */
export interface CoordinatorCore {
  readonly options: CompleteOptions;
  readonly store: CoordinatorStore;
  readonly counters: CounterBook;
  readonly jobs: JobBook;
  readonly pipelines: PipelineBook;
  readonly queue: JobQueue;
  readonly runners: RunnerRegistry;
  readonly conductor: Conductor;
  readonly traces: TraceBook;
  readonly notes: ProtocolNotes;
  readonly faults: FaultInjector;
  readonly sources: SourcesMount | undefined;
  /** How runners and jobs reach this coordinator; no `/` at the end. */
  readonly baseUrl: () => string;
  /** Where direct downloads are sent; undefined = nowhere. Ends with `/`. */
  readonly downloadOrigin: () => string | undefined;
  /** What signs a direct download of a job's archive. */
  readonly downloadKey: (jobId: number) => string;
  readonly now: () => number;
  readonly logger: Logger;
}
