/** Answers of the server's classic routes, as far as muster reads them. */

export interface ModelName {
  readonly providerId: string;
  readonly modelId: string;
}

/** Takes `provider/model` apart; the model's part may hold slashes. */
export function modelName(model: string): ModelName {
  const slash = model.indexOf('/');
  return { providerId: model.slice(0, Math.max(slash, 0)), modelId: model.slice(slash + 1) };
}

export interface Health {
  readonly healthy: boolean;
  readonly version: string;
}

export interface PathInfo {
  readonly directory: string;
  /** The git root, or `/` without git. */
  readonly worktree: string;
}

export interface Providers {
  readonly providers: readonly {
    readonly id: string;
    readonly models: Readonly<Record<string, object>>;
  }[];
}

export interface AgentInfo {
  readonly name: string;
}

export interface SessionInfo {
  readonly id: string;
  readonly directory: string;
  readonly title: string;
  readonly cost?: number;
  readonly tokens?: object;
  readonly parentID?: string;
}

export interface SessionStatus {
  readonly type: string;
}

export interface MessageRecord {
  readonly info: { readonly id: string; readonly role: string };
  readonly parts: readonly { readonly id: string; readonly type: string }[];
}

/** A durable event. */
export interface HistoryRecord {
  readonly id: string;
  readonly aggregate_id: string;
  readonly seq: number;
  readonly type: string;
  readonly data: object;
}

export interface PermissionAsk {
  readonly id: string;
  readonly sessionID: string;
  readonly permission: string;
  readonly patterns: readonly string[];
}

export interface QuestionAsk {
  readonly id: string;
  readonly sessionID: string;
}
