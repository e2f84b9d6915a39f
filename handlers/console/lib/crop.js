// Cropping a picture to a square.

/**
 * The square of a picture that is shown, in its pixels.
 *
 * @param {{width: number, height: number}} picture
 * @param {{zoom: number, x: number, y: number}} view  zoom from 1 on; the center as parts of the free space, 0 to 1
 */
export function squareOf(picture, {zoom, x, y}) {
    const side = Math.min(picture.width, picture.height) / zoom;
    return {side, left: (picture.width - side) * x, top: (picture.height - side) * y};
}
