import { connect } from 'node:net';

/** Whether something accepts connections there. Never throws. */
export async function acceptsConnections(
  host: string,
  port: number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  return await new Promise((resolve) => {
    if (signal.aborted) return resolve(false);
    const socket = connect({ host, port });
    const end = (result: boolean) => (): void => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(result);
    };
    const onAbort = end(false);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.setTimeout(timeoutMs, end(false));
    socket.once('connect', end(true));
    socket.once('error', end(false));
  });
}
