import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * A whole consumer of kube-event-bridge, to copy: it holds what the cluster holds.
 *
 * <pre>
 * Consumer kafka:9092 k8s.pods            follow; each time the objects change, print them as a line of JSON
 * Consumer kafka:9092 k8s.pods --once     end when all is read that is there now
 * Consumer --vectors protocol/vectors     prove it
 * </pre>
 *
 * The state is in memory and read anew at each start. Who keeps it must change state and offset together.
 */
public final class Consumer {
    public static void main(String[] arguments) throws IOException {
        if (arguments.length == 2 && arguments[0].equals("--vectors")) {
            System.exit(prove(Path.of(arguments[1])));
        }
        boolean once = arguments.length == 3 && arguments[2].equals("--once");
        if (arguments.length != 2 && !once) {
            System.err.println("name brokers and a topic, or --vectors DIR");
            System.exit(2);
        }
        try {
            follow(arguments[0], arguments[1], once);
        } catch (KafkaException error) {
            System.err.println(error);
            System.exit(1);
        }
    }

    private static void follow(String brokers, String topic, boolean once) {
        Map<String, Object> settings = Map.of(
                "bootstrap.servers", brokers,
                "isolation.level", "read_committed", // without it, records of aborted attempts are read
                "auto.offset.reset", "earliest",
                "allow.auto.create.topics", false,
                "default.api.timeout.ms", 20_000,
                "enable.auto.commit", false);
        var bytes = new ByteArrayDeserializer();
        try (var consumer = new KafkaConsumer<>(settings, bytes, bytes)) {
            List<TopicPartition> places = consumer.partitionsFor(topic).stream()
                    .map(place -> new TopicPartition(topic, place.partition()))
                    .toList();
            if (places.isEmpty()) {
                throw new KafkaException("there is no topic " + topic);
            }
            consumer.assign(places);
            consumer.seekToBeginning(places);
            Map<TopicPartition, Long> ends = once ? consumer.endOffsets(places) : Map.of();
            var follower = new Follower();
            while (!once || ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                if (poll(consumer, follower) && !once) {
                    System.out.println(follower.state());
                }
            }
            System.out.println(follower.state());
        }
    }

    private static boolean poll(KafkaConsumer<byte[], byte[]> consumer, Follower follower) {
        boolean changed = false;
        for (var message : consumer.poll(Duration.ofSeconds(1))) {
            try {
                changed |= follower.take(message.partition(), message.key(), message.value());
            } catch (Follower.Refused refused) {
                System.err.printf("partition %d, offset %d: %s%n", message.partition(), message.offset(), refused.getMessage());
            }
        }
        return changed;
    }

    /** The exit code: 0 if every vector comes out as it should. */
    private static int prove(Path directory) throws IOException {
        List<Path> files;
        try (var all = Files.list(directory)) {
            files = all.filter(file -> file.toString().endsWith(".json")).sorted().toList();
        }
        List<String> wrong = files.stream().map(Consumer::play).filter(problem -> !problem.isEmpty()).toList();
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
