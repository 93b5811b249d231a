import java.nio.file.Path;
import java.time.Duration;
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
    public static void main(String[] arguments) {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "error"); // the client tells of every step otherwise
        if (arguments.length == 2 && arguments[0].equals("--vectors")) {
            System.exit(Proof.prove(Path.of(arguments[1])));
        }
        boolean once = arguments.length == 3 && arguments[2].equals("--once");
        if (arguments.length != 2 && !once) {
            System.err.println("name brokers and a topic, or --vectors DIR");
            System.exit(2);
        }
        try {
            follow(arguments[0], arguments[1], once);
        } catch (KafkaException error) {
            String cause = error.getCause() == null ? "" : ": " + error.getCause().getMessage();
            System.err.println("Kafka at " + arguments[0] + ": " + error.getMessage() + cause);
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
}
