import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** Not needed by who copies the consumer: it plays vectors, as protocol/README.md has them, to the follower. */
final class Proof {
    /** The exit code: 0 if every vector comes out as it should. */
    static int prove(Path directory) {
        List<Path> files = List.of();
        try (var all = Files.list(directory)) {
            files = all.filter(file -> file.toString().endsWith(".json")).sorted().toList();
        } catch (IOException error) {
            System.out.println("no directory of vectors: " + error);
        }
        List<String> wrong = files.stream().map(Proof::play).filter(problem -> !problem.isEmpty()).toList();
        wrong.forEach(System.out::println);
        System.out.printf("%d vectors in %s, %d wrong%n", files.size(), directory, wrong.size());
        return files.isEmpty() || !wrong.isEmpty() ? 1 : 0;
    }

    private record Step(int partition, byte[] key, byte[] value, boolean refused, JsonNode state) {}

    /** What came out otherwise than it should; empty if nothing. */
    private static String play(Path file) {
        var steps = new ArrayList<Step>();
        try {
            JsonNode vector = Follower.JSON.readTree(Files.readString(file));
            must(vector.path("steps").isArray() && !vector.get("steps").isEmpty(), "it has no steps");
            for (JsonNode step : vector.get("steps")) {
                steps.add(read(step));
            }
        } catch (IOException | IllegalArgumentException error) {
            return file + " is no vector, or a part of one: " + error.toString().lines().findFirst().orElse("");
        }
        var follower = new Follower();
        int number = 0;
        for (Step step : steps) {
            number++;
            String refusal = "";
            try {
                follower.take(step.partition(), step.key(), step.value());
            } catch (Follower.Refused refused) {
                refusal = refused.getMessage();
            }
            if (refusal.isEmpty() == step.refused() || !follower.state().equals(step.state())) {
                return "%s, step %d: refused: %s; holds %s".formatted(file, number, refusal, follower.state());
            }
        }
        return "";
    }

    private static Step read(JsonNode step) {
        JsonNode partition = step.path("partition");
        must(partition.isInt() && partition.intValue() >= 0, "a partition that is none");
        must(step.path("state").isObject(), "a state that is none");
        must(!step.has("refused") || step.get("refused").isBoolean(), "a refused that is none");
        must(step.has("key"), "a step without key");
        byte[] key = step.get("key").isNull() ? null : bytes(step.get("key"));
        return new Step(partition.intValue(), key, content(step), step.path("refused").booleanValue(), step.get("state"));
    }

    /** The record's value, as Kafka would hold it. */
    private static byte[] content(JsonNode step) {
        if (step.has("hex")) {
            must(step.get("hex").isTextual(), "a hex that is no text");
            return HexFormat.of().parseHex(step.get("hex").textValue());
        }
        if (step.has("text")) {
            return bytes(step.get("text"));
        }
        must(step.has("value"), "a step without value");
        return step.get("value").isNull() ? null : step.get("value").toString().getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] bytes(JsonNode text) {
        must(text.isTextual(), "a key or a text that is none");
        return text.textValue().getBytes(StandardCharsets.UTF_8);
    }

    private static void must(boolean right, String why) {
        if (!right) {
            throw new IllegalArgumentException(why);
        }
    }
}
