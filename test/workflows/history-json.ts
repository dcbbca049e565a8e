import { createRequire } from 'node:module';
import type { History } from '@temporalio/common/lib/proto-utils.js';

/**
 * Histories as Temporal's tools write them. The SDK's own `historyToJSON` and `historyFromJSON` throw "type must be a Type"
 * where npm gave @temporalio/common and @temporalio/proto a protobufjs each, as it does beside the older one of others.
 */
const ofCommon = createRequire(createRequire(import.meta.url).resolve('@temporalio/common'));
const ofProto = createRequire(ofCommon.resolve('@temporalio/proto'));
const { fromJson, toJson } = ofProto('protobufjs/ext/protojson');
const { patchProtobufRoot } = ofProto('@temporalio/proto/lib/patch-protobuf-root');
const historyType = patchProtobufRoot(ofProto('@temporalio/proto')).lookupType('temporal.api.history.v1.History');

export function historyToJson(history: History): unknown {
  return toJson(historyType, historyType.fromObject(history));
}

export function historyFromJson(json: unknown): History {
  return fromJson(historyType, json, { ignoreUnknownFields: true });
}
