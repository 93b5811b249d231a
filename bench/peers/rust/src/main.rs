//! A Kubernetes -> Kafka bridge as one would write it by hand in Rust: a peer of the benchmark.
//! kube-rdkafka BROKERS TOPIC COMPRESSION RESOURCE...   with resources like v1/pods or apps/v1/deployments
use futures::{stream::SelectAll, StreamExt};
use kube::api::{Api, ApiResource, DynamicObject};
use kube::core::GroupVersion;
use kube::runtime::{watcher, watcher::Event, WatchStreamExt};
use kube::{discovery, Client};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::ClientConfig;
use std::time::Duration;

async fn resolve(client: &Client, name: &str) -> anyhow::Result<ApiResource> {
    let (version, plural) = name.rsplit_once('/').ok_or_else(|| anyhow::anyhow!("want group/version/plural: {name}"))?;
    let version: GroupVersion = version.parse()?;
    let group = if version.group.is_empty() {
        discovery::group(client, "").await?
    } else {
        discovery::pinned_group(client, &version).await?
    };
    let found = group.versioned_resources(&version.version).into_iter().find(|(one, _)| one.plural == plural);
    Ok(found.ok_or_else(|| anyhow::anyhow!("no such resource: {name}"))?.0)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(brokers), Some(topic), Some(compression)) = (args.next(), args.next(), args.next()) else {
        anyhow::bail!("usage: kube-rdkafka BROKERS TOPIC COMPRESSION RESOURCE...")
    };
    let producer: ThreadedProducer<DefaultProducerContext> = ClientConfig::new()
        .set("bootstrap.servers", &brokers)
        .set("enable.idempotence", "true") // acks=all, in order, no duplicates within one session
        .set("linger.ms", "5") // librdkafka's default, written down
        .set("compression.type", &compression)
        .set("queue.buffering.max.messages", "100000") // librdkafka's default: the bound of what waits in memory
        .set("partitioner", "murmur2_random") // as Java's: the same key, the same partition for all contestants
        .create()?;

    let client = Client::try_default().await?;
    let mut streams = SelectAll::new();
    for name in args {
        let resource = resolve(&client, &name).await?;
        let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
        let events = watcher(api, watcher::Config::default()).default_backoff();
        streams.push(events.map(move |event| (name.clone(), event)).boxed_local());
    }

    let send = |key: &str, value: &[u8]| loop {
        match producer.send(BaseRecord::to(&topic).key(key).payload(value)) {
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                std::thread::sleep(Duration::from_millis(1)) // back-pressure: stops reading the watch
            }
            Err((error, _)) => break Err(error),
            Ok(()) => break Ok(()),
        }
    };
    let stop = tokio::signal::ctrl_c();
    tokio::pin!(stop);
    loop {
        let (resource, event) = tokio::select! { Some(next) = streams.next() => next, _ = &mut stop => break };
        let (change, object) = match event {
            Ok(Event::Init) => ("RESTARTED", None),
            Ok(Event::InitApply(object)) => ("SNAPSHOT", Some(object)),
            Ok(Event::InitDone) => ("SYNCED", None),
            Ok(Event::Apply(object)) => ("APPLY", Some(object)),
            Ok(Event::Delete(object)) => ("DELETE", Some(object)),
            Err(error) => {
                eprintln!("{resource}: {error}"); // the stream waits and starts again by itself
                continue;
            }
        };
        let metadata = object.as_ref().map(|object| &object.metadata);
        let name = metadata.and_then(|metadata| metadata.name.as_deref()).unwrap_or("");
        let namespace = metadata.and_then(|metadata| metadata.namespace.as_deref()).unwrap_or("");
        let value = serde_json::json!({"type": change, "resource": resource, "object": object});
        send(&format!("{resource}/{namespace}/{name}"), &serde_json::to_vec(&value)?)?;
    }
    Ok(producer.flush(Duration::from_secs(10))?)
}
