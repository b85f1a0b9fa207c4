//! The processor's widest vectors, found while running: the program is built for any x86-64 or other processor.

/// Runs `work` compiled for AVX2 where the processor has it, else as it is. The arithmetic is the same number by
/// number (Rust never contracts a product and a sum to one instruction), and so are the results; only what is inlined
/// into `work` gains.
#[inline(always)]
pub(super) fn widest<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn with_avx2<R>(work: impl FnOnce() -> R) -> R {
            work()
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2.
            return unsafe { with_avx2(work) };
        }
    }
    work()
}
