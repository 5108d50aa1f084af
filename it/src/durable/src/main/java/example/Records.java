// SPDX-License-Identifier: Apache-2.0
package example;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import kafka.Kafka;
import kafka.tools.StorageTool;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** One broker of Kafka that is its own controller (KRaft), and a topic whose records count up from 0. */
final class Records {

    private static final String SERVER = "127.0.0.1:9092";
    private static final TopicPartition TOPIC = new TopicPartition("orders", 0);
    /** A slow machine may take as long as it needs. In milliseconds. */
    private static final int FOREVER = Integer.MAX_VALUE / 2;

    private static final Map<String, Object> ADMIN = Map.of(
            "bootstrap.servers", SERVER, "request.timeout.ms", FOREVER, "default.api.timeout.ms", FOREVER);
    private static final Map<String, Object> CONSUMER = Map.of(
            "bootstrap.servers", SERVER, "request.timeout.ms", FOREVER, "default.api.timeout.ms", FOREVER,
            "auto.offset.reset", "earliest");
    private static final Map<String, Object> PRODUCER = Map.of(
            "bootstrap.servers", SERVER, "request.timeout.ms", FOREVER, "delivery.timeout.ms", Integer.MAX_VALUE,
            "acks", "all");

    private final KafkaProducer<String, String> producer;

    private Records(KafkaProducer<String, String> producer) {
        this.producer = producer;
    }

    static Records start(Path directory) throws IOException, InterruptedException, ExecutionException {
        Path properties = Files.writeString(
                Files.createTempFile("kafka", ".properties"),
                String.join(
                        "\n",
                        "process.roles=broker,controller",
                        "node.id=1",
                        "controller.quorum.voters=1@127.0.0.1:9093",
                        "listeners=PLAINTEXT://" + SERVER + ",CONTROLLER://127.0.0.1:9093",
                        "controller.listener.names=CONTROLLER",
                        "log.dirs=" + directory,
                        "log.flush.interval.messages=1",
                        "log.cleaner.dedupe.buffer.size=4194304",
                        "offsets.topic.replication.factor=1"));
        if (!Files.exists(directory.resolve("meta.properties"))) {
            StorageTool.execute(
                    new String[] {"format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", properties.toString()}, System.out);
        }
        new Thread(() -> Kafka.main(new String[] {properties.toString()}), "kafka").start();
        createTopic();
        return new Records(new KafkaProducer<>(PRODUCER, new StringSerializer(), new StringSerializer()));
    }

    /** Waits for the broker, too. */
    private static void createTopic() throws InterruptedException, ExecutionException {
        try (Admin admin = Admin.create(ADMIN)) {
            admin.createTopics(Set.of(new NewTopic(TOPIC.topic(), 1, (short) 1))).all().get();
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof TopicExistsException)) {
                throw e;
            }
        }
    }

    /** Returns when the broker has acknowledged all of them, which it does when they are flushed to the disk. */
    synchronized String produce(int count) throws InterruptedException, ExecutionException {
        try (KafkaConsumer<String, String> consumer = consumer()) {
            long next = consumer.endOffsets(Set.of(TOPIC)).get(TOPIC);
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                sent.add(producer.send(new ProducerRecord<>(TOPIC.topic(), "record " + (next + i))));
            }
            for (Future<RecordMetadata> record : sent) {
                record.get();
            }
            return next + count + " records";
        }
    }

    private static KafkaConsumer<String, String> consumer() {
        return new KafkaConsumer<>(CONSUMER, new StringDeserializer(), new StringDeserializer());
    }

    /** Reads all; the value of each says which it is. */
    synchronized String check() {
        try (KafkaConsumer<String, String> consumer = consumer()) {
            consumer.assign(Set.of(TOPIC));
            consumer.seekToBeginning(Set.of(TOPIC));
            long end = consumer.endOffsets(Set.of(TOPIC)).get(TOPIC), count = 0;
            while (count < end) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofSeconds(1))) {
                    if (!record.value().equals("record " + count)) {
                        return record.value() + " is number " + count;
                    }
                    count++;
                }
            }
            return count + " records";
        }
    }
}
