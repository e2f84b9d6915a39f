#include "handlers/http/redirect.hpp"

namespace handlers {

reply redirect(unsigned status, std::string_view location)
{
    reply out;
    out.status = status;
    out.content_type = {};
    out.add_header("Location", location);
    out.add_header("Referrer-Policy", "no-referrer");
    return out;
}

} // namespace handlers
