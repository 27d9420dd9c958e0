import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Sends each line of stdin, a codec, a key and a value with tabs between, in batches of that codec: BROKERS TOPIC. */
public class SendCompressed {
  public static void main(String[] args) throws Exception {
    Map<String, KafkaProducer<String, String>> producers = new HashMap<>();
    try (var lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"))) {
      for (String line; (line = lines.readLine()) != null; ) {
        String[] record = line.split("\t", 3);
        producers
            .computeIfAbsent(record[0], (codec) -> producer(args[0], codec))
            .send(new ProducerRecord<>(args[1], record[1], record[2]));
      }
    }
    for (var producer : producers.values()) producer.close();
  }

  private static KafkaProducer<String, String> producer(String brokers, String codec) {
    return new KafkaProducer<>(Map.of(
        "bootstrap.servers", brokers,
        "compression.type", codec,
        "linger.ms", 100,
        "key.serializer", "org.apache.kafka.common.serialization.StringSerializer",
        "value.serializer", "org.apache.kafka.common.serialization.StringSerializer"));
  }
}
