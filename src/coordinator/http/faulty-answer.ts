import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { unreachable } from '../../lib/unreachable.ts';
import type { FaultRule } from '../faults/fault-rules.ts';
import { type Answer, errorAnswer } from './answer.ts';
import type { Exchange } from './router.ts';
import { sendAnswer, sendTruncated } from './send.ts';

/** Answers a request with a fault in the way, before or after the work is done. */
export async function answerWithFault(
  fault: FaultRule,
  exchange: Exchange,
  response: ServerResponse,
  handle: () => Promise<Answer>,
): Promise<void> {
  switch (fault.kind) {
    case 'status':
      if (fault.when === 'after') await handle();
      await sendAnswer(response, faultStatus(fault), exchange.signal);
      return;
    case 'delay':
      await delay(fault.delay_ms, undefined, { signal: exchange.signal }).catch(() => {});
      await sendAnswer(response, await handle(), exchange.signal);
      return;
    case 'reset':
      if (fault.when === 'after') await handle();
      exchange.request.socket.resetAndDestroy();
      return;
    case 'truncate':
      await sendTruncated(exchange.request, response, await handle());
      return;
    default:
      unreachable(fault);
  }
}

function faultStatus(fault: Extract<FaultRule, { kind: 'status' }>): Answer {
  const headers: Record<string, string> = { ...fault.headers };
  if (fault.retry_after_seconds !== undefined) headers['Retry-After'] = String(fault.retry_after_seconds);
  if (fault.rate_limit_reset_in_seconds !== undefined) {
    headers['RateLimit-ResetTime'] = new Date(Date.now() + fault.rate_limit_reset_in_seconds * 1000).toUTCString();
  }
  return errorAnswer(fault.status, undefined, headers);
}
