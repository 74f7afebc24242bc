import type { ResolvedImage } from './job-images.ts';

/** Notes which images jobs use, and which of them were pulled for a job (absent before). For the disk care. */
export interface ImageTracker {
  /** A job uses the image now. */
  used(image: Pick<ResolvedImage, 'name' | 'id'>): void;
  /** The image was not there and was pulled for a job, under this name. */
  pulled(name: string, id: string): void;
}
