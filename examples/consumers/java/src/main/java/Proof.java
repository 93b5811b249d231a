import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;

/** Not needed by who copies the consumer: it plays vectors, as protocol/README.md has them, to the follower. */
final class Proof {
    /** The exit code: 0 if every vector comes out as it should. */
    static int prove(Path directory) throws IOException {
        List<Path> files;
        try (var all = Files.list(directory)) {
            files = all.filter(file -> file.toString().endsWith(".json")).sorted().toList();
        }
        List<String> wrong = files.stream().map(Proof::play).filter(problem -> !problem.isEmpty()).toList();
        wrong.forEach(System.out::println);
        System.out.printf("%d vectors, %d wrong%n", files.size(), wrong.size());
        return files.isEmpty() || !wrong.isEmpty() ? 1 : 0;
    }

    /** What came out otherwise than it should; empty if nothing. */
    private static String play(Path file) {
        JsonNode vector;
        try {
            vector = Follower.JSON.readTree(file.toFile());
        } catch (IOException error) {
            return file + " is no vector, or a part of one: " + error.getMessage();
        }
        if (vector.path("steps").isEmpty()) {
            return file + " is no vector: it has no steps";
        }
        var follower = new Follower();
        int number = 0;
        for (JsonNode step : vector.get("steps")) {
            number++;
            String refusal = "";
            try {
                byte[] key = step.path("key").isTextual() ? bytes(step.get("key").textValue()) : null;
                follower.take(step.path("partition").intValue(), key, content(step));
            } catch (Follower.Refused refused) {
                refusal = refused.getMessage();
            }
            if (refusal.isEmpty() == step.path("refused").booleanValue() || !follower.state().equals(step.get("state"))) {
                return "%s, step %d: refused: %s; holds %s".formatted(file, number, refusal, follower.state());
            }
        }
        return "";
    }

    /** The record's value, as Kafka would hold it. */
    private static byte[] content(JsonNode step) {
        if (step.has("hex")) {
            return HexFormat.of().parseHex(step.get("hex").textValue());
        }
        if (step.has("text")) {
            return bytes(step.get("text").textValue());
        }
        return step.path("value").isNull() ? null : bytes(step.path("value").toString());
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
