// For TensorFlow’s kernels.h, which asks here whether this is a mobile platform: it is not. The real file needs many more.
#pragma once
