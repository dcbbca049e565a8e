import type { Client } from '@temporalio/client';
import type { Db } from '../../store/database.ts';
import type { CallbackHosts } from '../callbacks/callback-of.ts';

/** What commands for subscriptions need. */
export interface SubscriptionDependencies {
  db: Db;
  client: Client;
  callbackHosts: CallbackHosts;
  /** Sends one request to a receiver. */
  sendToReceiver: SendToReceiver;
  /** Makes the record and Temporal be compared soon. */
  reconcileSoon?: (() => void) | undefined;
}

/** @returns the receiver's response, or why there is none. */
export type SendToReceiver = (
  destination: { url: string; secret: string; headers: Record<string, string> },
  message: { webhook_id: string; contentType: string; body: string },
) => Promise<{ delivered: boolean; status: number | null; reason: string | null }>;
