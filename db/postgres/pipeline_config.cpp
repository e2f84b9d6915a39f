#include "db/postgres/pipeline_config.hpp"

namespace db {

const dns_resolver& system_resolver()
{
    static const dns_resolver only([] {
        dns_resolver::config settings;
        settings.keeps_last = true;
        return settings;
    }());
    return only;
}

} // namespace db
