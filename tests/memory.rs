//! How much memory a data set takes while it is written, which is the same for few stamps and for many.

use legato::fits::{DatasetMeta, DatasetWriter};
use legato::sky::Truth;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The system's allocator, which counts what is held and the most that was.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Relaxed) + layout.size();
        MOST.fetch_max(held, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_data_set_of_many_stamps_takes_no_more_memory_than_one_of_few() {
    const CHUNK: usize = 500;
    let truth = Truth { mag: 20.0, re_maj: 4.0, ..Truth::default() };
    let (pixels, truths) = (vec![0.0; CHUNK * 64], vec![truth; CHUNK]);
    let folder = tempfile::tempdir().expect("a folder");
    let most = |stamps: usize| {
        MOST.store(HELD.load(Relaxed), Relaxed);
        let before = HELD.load(Relaxed);
        let path = folder.path().join("set.fits");
        let mut writer = DatasetWriter::create(path, &DatasetMeta::default(), stamps, 8, 8).expect("room");
        for _ in 0..stamps / CHUNK {
            writer.append(&pixels, &truths).expect("room");
        }
        writer.finish().expect("room");
        MOST.load(Relaxed) - before
    };
    let (few, many) = (most(2 * CHUNK), most(200 * CHUNK));
    println!("{few} bytes for {} stamps, {many} for {}", 2 * CHUNK, 200 * CHUNK);
    assert!(many < few + 1000, "{many} bytes, {few} for few stamps");
}
