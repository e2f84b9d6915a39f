// Removes metadata from images: places, names, devices, embedded previews.
#pragma once

#include <string>
#include <string_view>

namespace schemas {

/** Copy an image without what does not serve its display. The pixels are not encoded again.

    Keeps the image data, what affects colors (ICC profiles, Adobe's color transform, gamma, transparency),
    and the Exif orientation, in a new Exif block that has nothing else. Removes all the rest, also unknown
    parts, which may contain anything: Exif with its location and preview, XMP, IPTC, comments, texts, times,
    and data after the end of the image.

    @param image one that read_image() accepts
    @return the file; empty if read_image() would reject it. One pass and one copy */
std::string strip_image_metadata(std::string_view image);

} // namespace schemas
