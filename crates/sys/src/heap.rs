//! Memory of a process that is about to need much of it, and then to end.

/// Takes room for about `bytes` at once, in huge pages where the kernel allows that: asking for each small page on its
/// first use is a fifth of the time in which a large file is read. What is not used costs nothing. The room is never
/// given back, so this is not for a daemon.
#[cfg(target_env = "gnu")]
pub fn expect(bytes: usize) {
    let pad = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
    // SAFETY: these only set limits of the allocator. One that it refuses changes nothing.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGEST_ON_HEAP);
        libc::mallopt(libc::M_TRIM_THRESHOLD, libc::c_int::MAX);
        libc::mallopt(libc::M_TOP_PAD, pad);
    }
    let start = heap_end();
    // More than is free: the heap grows by this and the pad.
    drop(std::hint::black_box(Vec::<u8>::with_capacity(GROWTH)));
    let length = heap_end().addr().saturating_sub(start.addr());
    let skipped = start.align_offset(HUGE_PAGE);
    if skipped < length {
        // SAFETY: the pages are of the heap, and how large pages are does not change what is in them.
        let advised = unsafe {
            let first = start.add(skipped).cast();
            rustix::mm::madvise(first, length - skipped, rustix::mm::Advice::LinuxHugepage)
        };
        // Without huge pages it is slower, no more.
        advised.unwrap_or_default();
    }
}

/// Other allocators know best.
#[cfg(not(target_env = "gnu"))]
pub fn expect(_bytes: usize) {}

/// The largest allocation that does not get a mapping of its own; glibc takes no more.
#[cfg(target_env = "gnu")]
const LARGEST_ON_HEAP: libc::c_int = 32 << 20;

/// The usual size of one, and a multiple of that of small ones.
#[cfg(target_env = "gnu")]
const HUGE_PAGE: usize = 2 << 20;

#[cfg(target_env = "gnu")]
const GROWTH: usize = 4 << 20;

#[cfg(target_env = "gnu")]
fn heap_end() -> *mut u8 {
    // SAFETY: 0 asks where the heap ends, and moves nothing.
    unsafe { libc::sbrk(0) }.cast()
}

#[cfg(test)]
mod tests {
    #[test]
    fn room_that_was_expected_is_room_like_any_other() {
        super::expect(16 << 20);
        let much: Vec<u32> = (0..1 << 20).collect();
        assert_eq!(much.last(), Some(&((1 << 20) - 1)));
    }
}
