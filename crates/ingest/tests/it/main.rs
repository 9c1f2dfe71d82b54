//! What a small body may cost: no sender gets more memory than its bytes are worth.
#![expect(clippy::unwrap_used, reason = "tests panic where something is wrong")]

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use peak_alloc::PeakAlloc;
use signalbox_ingest::read_whatever;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// For the largest body that is read here, 1 MiB.
const MOST_MB: f32 = 128.0;

/// A field that holds bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    prost::encode_length_delimiter(content.len(), &mut field).unwrap();
    field.extend_from_slice(content);
    field
}

fn packed(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_small_body_gets_little_memory() {
    let large = vec![b'x'; 500_000];
    let attribute = [field(1, b"k"), field(2, &field(1, &large))].concat();
    let resource = field(1, &field(1, &attribute));
    let scope = field(1, &field(1, &large));
    let span = [field(1, &[1; 16]), field(2, &[2; 8])].concat();
    let point = field(1, &[0x31, 1, 0, 0, 0, 0, 0, 0, 0]);
    let all = |of_resource: &[u8]| field(1, of_resource);
    let hostile = [
        ("spans of two bytes", all(&field(2, &field(2, &[]).repeat(500_000)))),
        ("scopes of two bytes", all(&field(2, &[]).repeat(500_000))),
        ("resources of two bytes", field(1, &[]).repeat(500_000)),
        ("events of two bytes", all(&field(2, &field(2, &[span.clone(), field(11, &[]).repeat(500_000)].concat())))),
        ("attributes of two bytes", all(&field(2, &field(2, &[span.clone(), field(9, &[]).repeat(500_000)].concat())))),
        ("a resource that is repeated", all(&[resource.clone(), field(2, &field(2, &span).repeat(10_000))].concat())),
        ("a scope that is repeated", all(&field(2, &[scope, field(2, &span).repeat(10_000)].concat()))),
        ("scopes of a resource", all(&[resource, field(2, &field(2, &span)).repeat(10_000)].concat())),
        (
            "a metric's name that is repeated",
            all(&field(2, &field(2, &[field(1, &large), field(5, &point.repeat(20_000))].concat()))),
        ),
        (
            "no JSON objects to speak of",
            format!("{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":[{}{{}}]}}]}}]}}", "{},".repeat(300_000))
                .into_bytes(),
        ),
        ("lists in lists", [b"{\"resourceSpans\":".to_vec(), b"[".repeat(900_000)].concat()),
        ("zeros", vec![0; 1 << 20]),
    ];
    for (what, body) in hostile {
        assert!(body.len() <= 1 << 20, "{what}: {} bytes are not looked at", body.len());
        for body in [packed(&body), body] {
            MEMORY.reset_peak_usage();
            read_whatever(&body);
            let peak = MEMORY.peak_usage_as_mb();
            assert!(peak < MOST_MB, "{what}: {} bytes took {peak} MB", body.len());
        }
    }
}

#[test]
fn packing_bombs_stop_at_the_limit() {
    let bomb = packed(&packed(&vec![0; 64 << 20]));
    MEMORY.reset_peak_usage();
    read_whatever(&bomb);
    read_whatever(&packed(&vec![0; 64 << 20]));
    assert!(MEMORY.peak_usage_as_mb() < 256.0);
}
