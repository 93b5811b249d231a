import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Mark and sweep, as docs/protocol.md says: per partition and per stream. */
final class Follower {
    /** What stands in the topic is no record of the bridge's. The objects are what they were. */
    static final class Refused extends Exception {
        Refused(String why) {
            super(why);
        }
    }

    private record Scope(int partition, String stream) {}

    /** An object, and the epoch of the last record that told of it. */
    private record Held(long epoch, JsonNode object) {}

    static final ObjectMapper JSON =
            JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();
    /** The greatest epoch that there can be; taken, one beyond would end the stream for ever. */
    private static final long NEWEST = (1L << 53) - 1;

    private static final Set<String> MARKERS = Set.of("RESTARTED", "SYNCED", "PROGRESS");
    private static final Set<String> SEEN = Set.of("ADDED", "MODIFIED", "LISTED");

    private final Map<Scope, Map<String, Held>> objects = new HashMap<>();
    private final Map<Scope, Long> newest = new HashMap<>();

    /** Whether the objects have changed. */
    boolean take(int partition, byte[] key, byte[] value) throws Refused {
        JsonNode record = read(text(value));
        String type = record.get("type").textValue();
        String name = MARKERS.contains(type) ? "" : place(text(key)); // that of a marker says nothing
        var scope = new Scope(partition, record.get("stream").textValue());
        long epoch = record.get("epoch").longValue();
        if (epoch < newest.getOrDefault(scope, 0L)) {
            return false; // of an epoch that is over: at-least-once says things twice
        }
        newest.put(scope, epoch);
        Map<String, Held> mine = objects.computeIfAbsent(scope, none -> new HashMap<>());
        if (SEEN.contains(type)) {
            mine.put(name, new Held(epoch, record.get("object")));
            return true;
        }
        return switch (type) {
            case "DELETED" -> mine.remove(name) != null;
            case "SYNCED" -> mine.values().removeIf(held -> held.epoch() < epoch);
            default -> false; // RESTARTED: the old objects are served until SYNCED. PROGRESS: all up to it has been said
        };
    }

    /** Partition -> stream -> key -> object. */
    ObjectNode state() {
        ObjectNode found = JSON.createObjectNode();
        objects.forEach((scope, mine) -> mine.forEach((name, held) -> found
                .withObjectProperty(Integer.toString(scope.partition()))
                .withObjectProperty(scope.stream())
                .set(name, held.object())));
        return found;
    }

    private static JsonNode read(String value) throws Refused {
        JsonNode record;
        try {
            record = JSON.readTree(value);
        } catch (JsonProcessingException error) {
            throw new Refused("no JSON: " + error.getOriginalMessage());
        }
        if (!record.path("type").isTextual() || record.path("stream").asText().isEmpty() || !record.get("stream").isTextual()) {
            throw new Refused("no record of the bridge's: no type, or no stream");
        }
        JsonNode epoch = record.path("epoch");
        if (!epoch.isIntegralNumber() || !epoch.canConvertToLong() || epoch.longValue() < 0 || epoch.longValue() > NEWEST) {
            throw new Refused("an epoch that is none");
        }
        String type = record.get("type").textValue();
        if (!MARKERS.contains(type) && !SEEN.contains(type) && !type.equals("DELETED")) {
            throw new Refused("of unknown type " + type);
        }
        if (SEEN.contains(type) && !record.path("object").isObject()) {
            throw new Refused("a change without its object");
        }
        return record;
    }

    /** There is something before the first slash of a change's key and behind its last. */
    private static String place(String key) throws Refused {
        if (key.indexOf('/') < 1 || key.endsWith("/")) {
            throw new Refused("a change of no object, key " + key);
        }
        return key;
    }

    private static String text(byte[] bytes) throws Refused {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes == null ? new byte[0] : bytes)).toString();
        } catch (CharacterCodingException error) {
            throw new Refused("not UTF-8");
        }
    }
}
