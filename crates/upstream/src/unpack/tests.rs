use std::io::Write;

use brotli::CompressorWriter;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use http::HeaderValue;

use super::*;

const ALL: [Packing; 4] = [Packing::Gzip, Packing::Deflate, Packing::Brotli, Packing::Zstd];

/// Packs one piece after the other, each so that it can be read at once.
fn flushed(packing: Packing, pieces: &[&[u8]]) -> Vec<Vec<u8>> {
    macro_rules! each {
        ($writer:expr, $sent:ident, $end:expr) => {{
            let mut writer = $writer;
            let mut all = Vec::new();
            let mut before = 0;
            for piece in pieces {
                writer.write_all(piece).unwrap();
                writer.flush().unwrap();
                let $sent = &writer;
                let sent: &Vec<u8> = $end;
                all.push(sent[before..].to_vec());
                before = sent.len();
            }
            (writer, all, before)
        }};
    }
    match packing {
        Packing::Gzip => {
            let (writer, mut all, before) =
                each!(GzEncoder::new(Vec::new(), Compression::fast()), writer, writer.get_ref());
            all.push(writer.finish().unwrap()[before..].to_vec());
            all
        }
        Packing::Deflate => {
            let (writer, mut all, before) =
                each!(ZlibEncoder::new(Vec::new(), Compression::fast()), writer, writer.get_ref());
            all.push(writer.finish().unwrap()[before..].to_vec());
            all
        }
        Packing::Brotli => {
            let (writer, mut all, before) =
                each!(CompressorWriter::new(Vec::new(), 4_096, 5, 22), writer, writer.get_ref());
            all.push(writer.into_inner()[before..].to_vec());
            all
        }
        Packing::Zstd => {
            let (writer, mut all, before) =
                each!(zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap(), writer, writer.get_ref());
            all.push(writer.finish().unwrap()[before..].to_vec());
            all
        }
    }
}

fn packed(packing: Packing, plain: &[u8]) -> Vec<u8> {
    flushed(packing, &[plain]).concat()
}

fn all_of(unpacker: &mut Unpacker) -> Result<Vec<u8>, UnpackError> {
    let mut all = Vec::new();
    while let Some(piece) = unpacker.unpack()? {
        assert!(!piece.is_empty() && piece.len() <= PIECE);
        all.extend_from_slice(&piece);
    }
    Ok(all)
}

fn unpacked(packing: Packing, body: &[u8], cut: usize) -> Result<Vec<u8>, UnpackError> {
    let mut unpacker = Unpacker::new(packing);
    let mut all = Vec::new();
    for piece in body.chunks(cut) {
        unpacker.push(Bytes::copy_from_slice(piece));
        all.append(&mut all_of(&mut unpacker)?);
    }
    unpacker.finish()?;
    Ok(all)
}

fn text() -> Vec<u8> {
    (0..4_000)
        .map(|number| format!("{{\"line\": {number}, \"text\": \"h\u{e9}llo\"}}\n"))
        .collect::<String>()
        .into_bytes()
}

#[test]
fn every_packing_is_read_however_it_is_cut() {
    let text = text();
    for packing in ALL {
        let body = packed(packing, &text);
        assert!(body.len() < text.len() / 2, "{packing:?} packs");
        for cut in [1, 2, 7, 1_000, usize::MAX] {
            assert_eq!(unpacked(packing, &body, cut).unwrap(), text, "{packing:?}, {cut} at a time");
        }
        assert_eq!(unpacked(packing, b"", 1).unwrap(), b"", "{packing:?} of nothing at all");
        assert_eq!(unpacked(packing, &packed(packing, b""), 1).unwrap(), b"", "{packing:?} of nothing");
    }
}

#[test]
fn what_was_flushed_is_seen_at_once() {
    let events: [&[u8]; 3] = [b"data: {\"a\":1}\n\n", b"data: {\"a\":2}\n\n", b"data: [DONE]\n\n"];
    for packing in ALL {
        let mut unpacker = Unpacker::new(packing);
        let pieces = flushed(packing, &events);
        for (piece, event) in pieces.iter().zip(events) {
            unpacker.push(piece.clone().into());
            assert_eq!(all_of(&mut unpacker).unwrap(), event, "{packing:?}");
            assert_eq!(unpacker.finish().unwrap_err(), UnpackError::Short { packing });
        }
        unpacker.push(pieces.last().unwrap().clone().into());
        assert_eq!(all_of(&mut unpacker).unwrap(), b"", "{packing:?}");
        unpacker.finish().unwrap();
    }
}

#[test]
fn however_much_is_in_it_a_piece_is_small() {
    let zeros = vec![0; 4 << 20];
    for packing in ALL {
        let body = packed(packing, &zeros);
        assert!(body.len() < 50_000, "{packing:?}: {}", body.len());
        let mut unpacker = Unpacker::new(packing);
        unpacker.push(body.into());
        let mut total = 0;
        // Each asked for on its own.
        while let Some(piece) = unpacker.unpack().unwrap() {
            assert!(piece.len() <= PIECE);
            total += piece.len();
        }
        assert_eq!(total, zeros.len(), "{packing:?}");
    }
}

#[test]
fn what_is_cut_or_broken_says_so() {
    let text = text();
    for packing in ALL {
        let body = packed(packing, &text);
        let cut = unpacked(packing, &body[..body.len() / 2], 1_000).unwrap_err();
        assert_eq!(cut, UnpackError::Short { packing });
        assert!(cut.to_string().contains(packing.as_str()), "{cut}");
        let told = unpacked(packing, b"{\"this\": \"is plain text, and no packing\"}", 1_000).unwrap_err();
        assert!(matches!(told, UnpackError::Broken { .. } | UnpackError::Short { .. }), "{packing:?}: {told}");
    }
    // Three of them have checksums; brotli has none.
    for packing in [Packing::Gzip, Packing::Deflate] {
        let mut body = packed(packing, &text);
        let last = body.len() - 1;
        body[last] ^= 0xff;
        assert!(matches!(unpacked(packing, &body, 1_000), Err(UnpackError::Broken { .. })), "{packing:?}");
    }
}

#[test]
fn whatever_comes_is_read_or_refused() {
    let mut random = fastrand::Rng::with_seed(7);
    let text = text();
    for packing in ALL {
        let good = packed(packing, &text);
        for round in 0..300 {
            let mut body = good.clone();
            if round % 2 == 0 {
                body = (0..random.usize(..2_000)).map(|_| random.u8(..)).collect();
            } else {
                for _ in 0..random.usize(1..5) {
                    let place = random.usize(..body.len());
                    body[place] = random.u8(..);
                }
            }
            if let Ok(read) = unpacked(packing, &body, random.usize(1..4_000)) {
                assert!(read.len() < 64 << 20);
            }
        }
    }
}

#[test]
fn what_others_send_is_read_too() {
    // Some leave out the frame of deflate.
    let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
    raw.write_all(b"hello").unwrap();
    assert_eq!(unpacked(Packing::Deflate, &raw.finish().unwrap(), 1).unwrap(), b"hello");
    // Several in a row are one body.
    for packing in [Packing::Gzip, Packing::Zstd] {
        let two = [packed(packing, b"one "), packed(packing, b"two")].concat();
        for cut in [1, 1_000] {
            assert_eq!(unpacked(packing, &two, cut).unwrap(), b"one two", "{packing:?}");
        }
    }
    let padded = [packed(Packing::Gzip, b"one"), vec![0; 20]].concat();
    assert_eq!(unpacked(Packing::Gzip, &padded, 7).unwrap(), b"one");
}

#[test]
fn windows_beyond_what_http_allows_are_refused() {
    // Magic number, then a frame without its size whose window is of 2^27 bytes.
    let head = [0x28, 0xb5, 0x2f, 0xfd, 0x00, (27 - 10) << 3, 0x01, 0x00, 0x00];
    let error = unpacked(Packing::Zstd, &head, 100).unwrap_err();
    assert!(matches!(error, UnpackError::Broken { .. }), "{error}");
}

#[test]
fn headers_say_how_it_is_packed() {
    let of = |value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_str(value).unwrap());
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("12"));
        let taken = Unpacker::take(&mut headers).map(|unpacker| unpacker.map(|unpacker| unpacker.packing));
        (taken, headers.len())
    };
    for (value, packing) in [
        ("gzip", Packing::Gzip),
        ("X-Gzip", Packing::Gzip),
        ("deflate", Packing::Deflate),
        (" br ", Packing::Brotli),
        ("identity, zstd", Packing::Zstd),
    ] {
        assert_eq!(of(value), (Ok(Some(packing)), 0), "{value}");
    }
    for value in ["", "identity", "utf-8"] {
        assert_eq!(of(value), (Ok(None), 1), "{value}");
    }
    for value in ["compress", "gzip, gzip", "gzip;q=1"] {
        let (taken, left) = of(value);
        assert!(taken.unwrap_err().to_string().contains(value));
        assert_eq!(left, 2, "{value}");
    }
    assert!(Unpacker::take(&mut HeaderMap::new()).unwrap().is_none());
}
