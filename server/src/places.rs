//! Between the cluster's places and the storage's directories: both spell paths from the root of
//! the volume.

use holdfast_cluster::command::Place;
use holdfast_proto::types::FileKey;

use crate::vfs::{self, DirRef, VfsError, VolumePath};

/// The directory that holds the name.
pub fn parent_dir(place: &Place) -> Result<DirRef, VfsError> {
    let path = VolumePath::parse(&place.path)?;
    let above = path.split_last().map_or_else(VolumePath::root, |(above, _)| above);
    Ok(DirRef { key: place.parent, path: above, ancestors: place.ancestors.clone() })
}

/// What the storage opens.
pub fn of_file(place: &Place, key: FileKey) -> Result<vfs::Place, VfsError> {
    Ok(vfs::Place { path: VolumePath::parse(&place.path)?, key })
}

/// The place of `name`, as it is spelt, in `dir`.
pub fn child(dir: &DirRef, name: &str) -> Place {
    Place {
        parent: dir.key,
        ancestors: dir.ancestors.clone(),
        path: dir.path.join(name).as_str().to_owned(),
    }
}

/// The place of a share's own directory.
pub fn of_root(root: &DirRef) -> Place {
    let (parent, ancestors) = match root.ancestors.split_last() {
        Some((parent, above)) => (*parent, above.to_vec()),
        None => (root.key, Vec::new()),
    };
    Place { parent, ancestors, path: root.path.as_str().to_owned() }
}
