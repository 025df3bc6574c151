//! What measured times are true of: this processor, and this version of the kernels.

/// The processor by name and by what it offers, and the version of this library. Virtual machines hide features of the
/// same processor.
pub(super) fn describe() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut words = vec![brand().unwrap_or_else(|| std::env::consts::ARCH.to_owned())];
    words.extend(generation());
    words.extend(features().into_iter().map(str::to_owned));
    format!("{}; cnn {version}", words.join(" "))
}

/// The processor's own name.
#[cfg(target_arch = "x86_64")]
fn brand() -> Option<String> {
    use std::arch::x86_64::__cpuid;
    const FIRST: u32 = 0x8000_0002;
    const LAST: u32 = 0x8000_0004;
    if __cpuid(0x8000_0000).eax < LAST {
        return None;
    }
    let registers = (FIRST..=LAST).flat_map(|leaf| {
        let part = __cpuid(leaf);
        [part.eax, part.ebx, part.ecx, part.edx]
    });
    let bytes: Vec<u8> = registers
        .flat_map(u32::to_le_bytes)
        .take_while(|&byte| byte != 0)
        .collect();
    // Some names are padded with spaces in the middle too.
    let name = String::from_utf8_lossy(&bytes);
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    (!name.is_empty()).then_some(name)
}

#[cfg(not(target_arch = "x86_64"))]
fn brand() -> Option<String> {
    None
}

/// Family and model: virtual machines call different generations by one name.
#[cfg(target_arch = "x86_64")]
fn generation() -> Option<String> {
    let signature = std::arch::x86_64::__cpuid(1).eax;
    let bits = |from: u32, count: u32| (signature >> from) & ((1 << count) - 1);
    let family = bits(8, 4) + if bits(8, 4) == 15 { bits(20, 8) } else { 0 };
    let model = bits(4, 4) + 16 * bits(16, 4);
    Some(format!("family {family} model {model}"))
}

#[cfg(not(target_arch = "x86_64"))]
fn generation() -> Option<String> {
    None
}

#[cfg(target_arch = "x86_64")]
fn features() -> Vec<&'static str> {
    let mut features = Vec::new();
    if std::arch::is_x86_feature_detected!("avx2") {
        features.push("avx2");
    }
    if std::arch::is_x86_feature_detected!("fma") {
        features.push("fma");
    }
    if std::arch::is_x86_feature_detected!("avx512f") {
        features.push("avx512f");
    }
    features
}

#[cfg(not(target_arch = "x86_64"))]
fn features() -> Vec<&'static str> {
    Vec::new()
}
