const sampleBytes = 1024;
/** Shorter content is cheaper to compress than to look at. */
const smallestBytes = 16 * 1024;
/** Bits a byte. Random data of a sample's size comes to 7.8; text to 5, programs to 6.5. */
const threshold = 7.7;

/** Whether content looks compressed already (media, archives), by samples from three places. */
export function looksCompressed(content: Buffer): boolean {
  if (content.length < smallestBytes) return false;
  return [1 / 2, 1 / 16, 15 / 16].every((place) => {
    const start = Math.floor((content.length - sampleBytes) * place);
    return entropy(content.subarray(start, start + sampleBytes)) > threshold;
  });
}

function entropy(sample: Buffer): number {
  const counts = new Uint16Array(256);
  for (let index = 0; index < sample.length; index += 1) {
    const byte = sample[index] ?? 0;
    counts[byte] = (counts[byte] ?? 0) + 1;
  }
  let sum = 0;
  for (let byte = 0; byte < 256; byte += 1) {
    const count = counts[byte] ?? 0;
    if (count > 1) sum += count * Math.log2(count);
  }
  return Math.log2(sample.length) - sum / sample.length;
}
