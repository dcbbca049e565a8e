import type { Client } from '@temporalio/client';
import type { Db } from '../../store/database.ts';
import type { CallbackHosts } from '../callbacks/callback-of.ts';

/** What commands about subscriptions need. */
export interface SubscriptionDependencies {
  db: Db;
  client: Client;
  callbackHosts: CallbackHosts;
  /** Sends one request to a receiver. */
  sendToReceiver: SendToReceiver;
}

/** @returns what the receiver answered, or why it did not. */
export type SendToReceiver = (
  destination: { url: string; secret: string; headers: Record<string, string> },
  message: { webhook_id: string; contentType: string; body: string },
) => Promise<{ delivered: boolean; status: number | null; reason: string | null }>;
