// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws.fake;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** EBS direct: StartSnapshot, PutSnapshotBlock, CompleteSnapshot. */
final class FakeEbs {
    private static final Set<String> START_FIELDS = Set.of(
            "VolumeSize",
            "ParentSnapshotId",
            "Tags",
            "Description",
            "ClientToken",
            "Encrypted",
            "KmsKeyArn",
            "Timeout");

    private FakeEbs() {}

    static String action(Request request) {
        if (request.path.equals("/snapshots") && request.method.equals("POST")) {
            return "StartSnapshot";
        }
        if (request.path.matches("/snapshots/completion/[^/]+") && request.method.equals("POST")) {
            return "CompleteSnapshot";
        }
        if (request.path.matches("/snapshots/[^/]+/blocks/\\d+") && request.method.equals("PUT")) {
            return "PutSnapshotBlock";
        }
        throw new AwsFault(404, "UnknownOperationException", request.method + " " + request.path);
    }

    static Reply answer(FakeRegion region, Request request) {
        return switch (action(request)) {
            case "StartSnapshot" ->
                start(region, JsonParser.parseString(request.text()).getAsJsonObject());
            case "CompleteSnapshot" -> complete(region, request);
            default -> put(region, request);
        };
    }

    private static Reply start(FakeRegion region, JsonObject in) {
        in.keySet().stream()
                .filter(key -> !START_FIELDS.contains(key))
                .findAny()
                .ifPresent(key -> {
                    throw invalid("unknown field " + key);
                });
        long size = in.get("VolumeSize").getAsLong();
        check(size >= 1 && size <= 65_536, "VolumeSize");
        String token = in.get("ClientToken").getAsString();
        check(!token.isEmpty() && token.length() <= 64, "ClientToken");
        check(text(in, "Description") == null || text(in, "Description").length() <= 255, "Description");
        int timeout = in.has("Timeout") ? in.get("Timeout").getAsInt() : 60;
        check(timeout >= 10 && timeout <= 4320, "Timeout");
        synchronized (region) {
            String before = region.startTokens.putIfAbsent(token, in.toString());
            if (before != null && !before.equals(in.toString())) {
                throw new AwsFault(409, "ConflictException", "token used with other parameters");
            }
            String id = before == null ? create(region, in, size).id : region.startTokens.get(token + " id");
            region.startTokens.put(token + " id", id);
            return Reply.json(
                    201,
                    "{\"SnapshotId\":\"" + id + "\",\"BlockSize\":524288,\"Status\":\"pending\",\"OwnerId\":\""
                            + FakeAws.ACCOUNT + "\",\"VolumeSize\":" + size + "}");
        }
    }

    private static FakeSnapshot create(FakeRegion region, JsonObject in, long size) {
        String parentId = text(in, "ParentSnapshotId");
        boolean encrypted = in.has("Encrypted") && in.get("Encrypted").getAsBoolean();
        check(parentId == null || !in.has("Encrypted"), "both ParentSnapshotId and Encrypted");
        check(!in.has("KmsKeyArn") || encrypted, "KmsKeyArn without Encrypted");
        FakeSnapshot parent = parentId == null ? null : region.snapshots.get(parentId);
        if (parentId != null && (parent == null || !parent.state.equals("completed"))) {
            throw new AwsFault(404, "ResourceNotFoundException", "parent " + parentId);
        }
        check(parent == null || parent.volumeGiB <= size, "smaller than the parent");
        Map<String, String> tags = new LinkedHashMap<>();
        for (JsonElement tag : in.getAsJsonArray("Tags")) {
            tags.put(text(tag.getAsJsonObject(), "Key"), text(tag.getAsJsonObject(), "Value"));
        }
        FakeSnapshot snapshot = new FakeSnapshot(
                region.nextId("snap"),
                size,
                parent,
                text(in, "Description"),
                tags,
                encrypted || parent != null && parent.encrypted,
                encrypted || parent == null ? text(in, "KmsKeyArn") : parent.kmsKeyArn);
        region.snapshots.put(snapshot.id, snapshot);
        return snapshot;
    }

    private static Reply put(FakeRegion region, Request request) {
        String[] path = request.path.split("/");
        FakeSnapshot snapshot = pending(region, path[2]);
        int index = Integer.parseInt(path[4]);
        check(request.requiredHeader("x-amz-Data-Length").equals("524288"), "x-amz-Data-Length");
        check(request.requiredHeader("x-amz-Checksum-Algorithm").equals("SHA256"), "x-amz-Checksum-Algorithm");
        check(request.body.length == FakeSnapshot.BLOCK, "body of " + request.body.length + " bytes");
        check((long) index * FakeSnapshot.BLOCK < snapshot.volumeGiB << 30, "block index");
        String sum = base64(sha256(request.body));
        check(request.requiredHeader("x-amz-Checksum").equals(sum), "x-amz-Checksum");
        snapshot.blocks.put(index, request.body);
        return new Reply(
                201,
                "application/json",
                "{}".getBytes(),
                Map.of("x-amz-Checksum", sum, "x-amz-Checksum-Algorithm", "SHA256"));
    }

    private static Reply complete(FakeRegion region, Request request) {
        FakeSnapshot snapshot = region.snapshots.get(request.path.split("/")[3]);
        if (snapshot == null) {
            throw new AwsFault(404, "ResourceNotFoundException", "no such snapshot");
        }
        synchronized (snapshot) {
            if (!snapshot.completing) {
                check(
                        Integer.parseInt(request.requiredHeader("x-amz-ChangedBlocksCount")) == snapshot.blocks.size(),
                        "x-amz-ChangedBlocksCount");
                check(request.requiredHeader("x-amz-Checksum-Algorithm").equals("SHA256"), "x-amz-Checksum-Algorithm");
                check(
                        request.requiredHeader("x-amz-Checksum-Aggregation-Method")
                                .equals("LINEAR"),
                        "x-amz-Checksum-Aggregation-Method");
                check(request.requiredHeader("x-amz-Checksum").equals(linear(snapshot)), "x-amz-Checksum");
                snapshot.completing = true;
            }
            return Reply.json(202, "{\"Status\":\"" + snapshot.state + "\"}");
        }
    }

    private static FakeSnapshot pending(FakeRegion region, String id) {
        FakeSnapshot snapshot = region.snapshots.get(id);
        synchronized (region) {
            if (snapshot == null || region.unknownAtFirst > 0) {
                region.unknownAtFirst = Math.max(0, region.unknownAtFirst - 1);
                throw new AwsFault(404, "ResourceNotFoundException", "The snapshot '" + id + "' does not exist.");
            }
        }
        check(snapshot.state.equals("pending") && !snapshot.completing, "snapshot is not pending");
        return snapshot;
    }

    private static String linear(FakeSnapshot snapshot) {
        MessageDigest all = digest();
        snapshot.blocks.values().forEach(block -> all.update(sha256(block)));
        return base64(all.digest());
    }

    private static byte[] sha256(byte[] data) {
        return digest().digest(data);
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String base64(byte[] data) {
        return Base64.getEncoder().encodeToString(data);
    }

    private static String text(JsonObject in, String field) {
        return in.has(field) ? in.get(field).getAsString() : null;
    }

    private static void check(boolean fine, String what) {
        if (!fine) {
            throw invalid(what);
        }
    }

    private static AwsFault invalid(String what) {
        return new AwsFault(400, "ValidationException", what);
    }
}
