//! Keys of a real format that everybody knows: in the source and the manuals of public projects. Nothing is lost
//! when they are, and they stand in many a repository's tests.
//!
//! As hashes, so that this file is not itself an alarm to others. Sources: the keys that gitleaks allows by name in
//! its rule for Google's (MIT; most are from Android's and Chromium's source), and that of Azure's storage emulator.

/// FNV-1a of what follows the format's literal. Sorted.
const KNOWN: &[u64] = &[
    0x04FC_8F94_FF41_AE6C,
    0x2602_7779_6C66_2B22,
    0x2E7D_B3AF_3EEA_1F09,
    0x3525_9273_29A3_9927,
    0x3F9D_1C99_6E62_0B67,
    0x4375_AF8C_D29F_9C7D,
    0x53CC_84AD_98B2_BDFD,
    0x90E9_6160_E25D_D580,
    0x96A4_CE96_90AD_5A5A,
    0xB502_9951_4D41_22A8,
    0xC872_0E1C_289B_7263,
    0xC8CA_5897_FB99_50DB,
    0xCF98_C636_FBB5_24CD,
    0xD255_566A_119C_02FE,
    0xD5E3_86D4_BD36_D1D8,
    0xD790_5667_7D8F_8625,
    0xFE80_BDC6_B410_F57D,
];

/// Whether it is one of them.
pub(super) fn published(body: &[u8]) -> bool {
    KNOWN.binary_search(&hash(body)).is_ok()
}

fn hash(body: &[u8]) -> u64 {
    body.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_emulators_key_is_known_and_others_are_not() {
        let emulator = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw";
        assert!(published(emulator.as_bytes()));
        assert!(published(format!("{emulator}==").as_bytes()));
        assert!(!published(&emulator.as_bytes()[1..]));
        assert!(KNOWN.is_sorted());
    }
}
