/** The feed of the run that this page belongs to, and how it stands. */
import type { Trace } from '../trace.ts';
import { applyTrace, emptyView, type FeedMessage, thawView, type View } from '../view.ts';

export type ConnectionState = 'connecting' | 'live' | 'lost' | 'ended' | 'refused';

/** What the server says first. */
export interface Hello {
  /** Origin of the Stately inspector. */
  readonly stately: string;
  /** The server's clock in milliseconds: with a forwarded port it is another machine's. */
  readonly now: number;
}

export interface ConnectionEvents {
  hello(hello: Hello): void;
  /** Everything so far, in place of what was known; then `traces` for what follows. */
  view(view: View): void;
  /** These are part of the view already. */
  traces(traces: readonly Trace[]): void;
  state(state: ConnectionState): void;
}

/** Follows the feed until it ends; the browser connects again by itself, and then gets the view anew. */
export function connect(token: string, events: ConnectionEvents): void {
  const source = new EventSource(`/feed?token=${encodeURIComponent(token)}`);
  let view = emptyView(0);
  source.addEventListener('open', () => events.state('live'));
  source.addEventListener('error', () => events.state(source.readyState === EventSource.CLOSED ? 'refused' : 'lost'));
  source.addEventListener('hello', (message) => events.hello(JSON.parse(message.data) as Hello));
  source.addEventListener('end', () => {
    source.close();
    events.state('ended');
  });
  source.addEventListener('message', ({ data }) => {
    const message = JSON.parse(data as string) as FeedMessage;
    if (message.kind === 'view') {
      view = thawView(message.view);
      return events.view(view);
    }
    for (const trace of message.traces) applyTrace(view, trace);
    events.traces(message.traces);
  });
}
