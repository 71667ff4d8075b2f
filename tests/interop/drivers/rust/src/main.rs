//! The Rust client (crate `pulsar`) against a broker: `rust-client SERVICE_URL RUN`.
//! Prints a line `NAME ok` for each behaviour that it saw, and ends with an error at the first that differs.
use std::{error::Error, time::Duration};

use futures::TryStreamExt;
use pulsar::{
    compression::{
        Compression, CompressionLz4, CompressionSnappy, CompressionZlib, CompressionZstd,
    },
    consumer::{ConsumerOptions, DeadLetterPolicy, InitialPosition},
    producer::{Message, ProducerOptions},
    proto::command_subscribe::SubType,
    reader::Reader,
    Consumer, ConsumerBuilder, Pulsar, TokioExecutor,
};

type Client = Pulsar<TokioExecutor>;
type Strings = Consumer<String, TokioExecutor>;
type Outcome<T> = Result<T, Box<dyn Error>>;

const PATIENCE: Duration = Duration::from_secs(30);
const RESEND_DELAY: Duration = Duration::from_millis(100);

fn text(index: usize) -> String {
    format!("message {index}")
}

fn from_earliest() -> ConsumerOptions {
    ConsumerOptions::default().with_initial_position(InitialPosition::Earliest)
}

fn consumer(client: &Client, topic: &str, kind: SubType) -> ConsumerBuilder<TokioExecutor> {
    client
        .consumer()
        .with_topic(topic)
        .with_subscription("rust")
        .with_subscription_type(kind)
        .with_options(from_earliest())
}

async fn send(client: &Client, topic: &str, count: usize, options: ProducerOptions) -> Outcome<()> {
    let is_batching = options.batch_size.is_some();
    let builder = client.producer().with_topic(topic).with_options(options);
    let mut producer = builder.build().await?;
    let mut receipts = Vec::new();
    for index in 0..count {
        let message = Message {
            payload: text(index).into_bytes(),
            partition_key: Some(format!("key {}", index % 3)),
            ..Default::default()
        };
        receipts.push(producer.send_non_blocking(message).await?);
    }
    if is_batching {
        producer.send_batch().await?;
    }
    for receipt in receipts {
        receipt.await?;
    }
    Ok(())
}

async fn receive(from: &mut Strings, count: usize, acknowledge: bool) -> Outcome<Vec<String>> {
    let mut messages = Vec::new();
    while messages.len() < count {
        let next = tokio::time::timeout(PATIENCE, from.try_next()).await??;
        messages.push(next.ok_or("the stream of messages ended")?);
    }
    // Only now: what is given back too early comes again among the first.
    let mut texts = Vec::new();
    for message in &messages {
        texts.push(message.deserialize()?);
        if acknowledge {
            from.ack(message).await?;
        } else {
            from.nack(message).await?;
        }
    }
    Ok(texts)
}

fn expect(name: &str, is_so: bool) -> Outcome<()> {
    if !is_so {
        return Err(format!("{name}: other messages came than were sent").into());
    }
    println!("{name} ok");
    Ok(())
}

fn is_all(mut texts: Vec<String>, count: usize) -> bool {
    let mut sent: Vec<String> = (0..count).map(text).collect();
    texts.sort();
    sent.sort();
    texts == sent
}

async fn batches(client: &Client, run: &str) -> Outcome<()> {
    let codecs = [
        ("batch_none", None),
        (
            "batch_lz4",
            Some(Compression::Lz4(CompressionLz4::default())),
        ),
        (
            "batch_zlib",
            Some(Compression::Zlib(CompressionZlib::default())),
        ),
        (
            "batch_zstd",
            Some(Compression::Zstd(CompressionZstd::default())),
        ),
        (
            "batch_snappy",
            Some(Compression::Snappy(CompressionSnappy::default())),
        ),
    ];
    for (name, compression) in codecs {
        let topic = format!("rust-{name}-{run}");
        let mut exclusive: Strings = consumer(client, &topic, SubType::Exclusive).build().await?;
        let options = ProducerOptions {
            batch_size: Some(10),
            compression,
            ..Default::default()
        };
        send(client, &topic, 100, options).await?;
        let texts = receive(&mut exclusive, 100, true).await?;
        expect(name, texts == (0..100).map(text).collect::<Vec<_>>())?;
    }
    Ok(())
}

async fn shared(client: &Client, run: &str) -> Outcome<()> {
    let topic = format!("rust-shared-{run}");
    let builder = consumer(client, &topic, SubType::Shared);
    let resending = builder.with_unacked_message_resend_delay(Some(RESEND_DELAY));
    let mut consumer: Strings = resending.build().await?;
    send(client, &topic, 10, ProducerOptions::default()).await?;
    expect(
        "shared",
        is_all(receive(&mut consumer, 10, false).await?, 10),
    )?;
    expect("nack", is_all(receive(&mut consumer, 10, true).await?, 10))
}

async fn key_shared(client: &Client, run: &str) -> Outcome<()> {
    let topic = format!("rust-key-shared-{run}");
    let mut keyed: Strings = consumer(client, &topic, SubType::KeyShared).build().await?;
    send(client, &topic, 30, ProducerOptions::default()).await?;
    expect(
        "key_shared",
        is_all(receive(&mut keyed, 30, true).await?, 30),
    )?;

    let builder = client
        .reader()
        .with_topic(&topic)
        .with_options(from_earliest());
    let mut reader: Reader<String, _> = builder.into_reader().await?;
    let mut texts = Vec::new();
    while texts.len() < 30 {
        let next = tokio::time::timeout(PATIENCE, reader.try_next()).await??;
        texts.push(next.ok_or("the reader ended")?.deserialize()?);
    }
    expect("reader", texts == (0..30).map(text).collect::<Vec<_>>())?;

    keyed.seek(None, None, Some(1), client.clone()).await?;
    expect(
        "seek_time",
        is_all(receive(&mut keyed, 30, true).await?, 30),
    )
}

async fn dead_letter(client: &Client, run: &str) -> Outcome<()> {
    let topic = format!("rust-dead-letter-{run}");
    let dead_topic = format!("{topic}-dead");
    let mut dead: Strings = consumer(client, &dead_topic, SubType::Exclusive)
        .build()
        .await?;
    let policy = DeadLetterPolicy {
        max_redeliver_count: 2,
        dead_letter_topic: dead_topic,
    };
    let builder = consumer(client, &topic, SubType::Shared);
    let resending = builder.with_unacked_message_resend_delay(Some(RESEND_DELAY));
    let mut refusing: Strings = resending.with_dead_letter_policy(policy).build().await?;
    send(client, &topic, 1, ProducerOptions::default()).await?;
    let refuse = async {
        while receive(&mut refusing, 1, false).await.is_ok() {}
        "the consumer that refuses ended first"
    };
    tokio::select! {
        reason = refuse => Err(reason.into()),
        texts = receive(&mut dead, 1, true) => expect("dead_letter", is_all(texts?, 1)),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, run] = arguments.as_slice() else {
        return Err("expected a service URL and a name for this run".into());
    };
    let client = Pulsar::builder(url, TokioExecutor).build().await?;
    batches(&client, run).await?;
    shared(&client, run).await?;
    key_shared(&client, run).await?;
    dead_letter(&client, run).await
}
